export { Affinity } from './affinity.ts';
export { type AheadOfRoutes, aheadOf } from './ahead-of-routes.ts';
export {
  type AnswerRules,
  compileCompress,
  compileCors,
  compileErrorBody,
  OnStatus,
  type StatusAction,
} from './answer/index.ts';
export { compileAuthority, isAuthority } from './authority.ts';
export { ChallengePath, type OpenChallenges } from './challenge-path.ts';
export { compileDestination, restOf } from './destination.ts';
export { failureOf } from './evaluation.ts';
export { clientAuthority, forwardedFor, isForwarded } from './forwarded.ts';
export { compileHeaders, type HeaderLines } from './header-lines.ts';
export { compileMirror, type Mirror, mirroringFirst } from './mirror.ts';
export { Overload } from './overload.ts';
export { Pipeline, type PipelineSnapshot } from './pipeline.ts';
export { problem } from './problem.ts';
export { compileProxy, type ProxyParts } from './proxy.ts';
export { ReadyPath, type ReadyState } from './ready-path.ts';
export { compileRedirect } from './redirect.ts';
export { readRequestBody } from './request-body.ts';
export { type Answer, compileRespond } from './respond.ts';
export {
  type CompiledRoute,
  type Dispatch,
  type Filter,
  type Finish,
  PHASES,
  type WellKnown,
} from './route.ts';
export type { Handover, ServiceCredential, Side, Timeouts } from './side.ts';
export { compileSplit } from './split.ts';
export { behindSteps } from './steps.ts';
export { RequestSubject } from './subject.ts';
export { isTraceparent, newTraceparent } from './trace.ts';
export { compileQueryOnly, compileTransform, type HeaderTransform } from './transform.ts';
