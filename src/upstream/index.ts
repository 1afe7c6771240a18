export type { Applicant } from './admission.ts';
export { type Choice, RoundRobin } from './balance/index.ts';
export type { ServiceDescription, TargetMode } from './describe.ts';
export { type Discover, discoverOnce } from './discovery/index.ts';
export { ActiveChecks, type CheckPlans, checkPlans, HealthCount, type HealthReport } from './health/index.ts';
export { mergeDescriptions } from './merge.ts';
export type { Reuse, Waiter, Wish } from './pool/index.ts';
export { type Lookup, Resolver } from './resolver.ts';
export {
  type FailedTry,
  isIdempotent,
  isRetryable,
  mayRepeat,
  retryDelay,
  statusIn,
  troubleOf,
} from './retry.ts';
export type { Service, Target } from './service.ts';
export { askedAs, targetName } from './target-name.ts';
export { type BreakerChange, type DrainedTarget, type TargetEjection, Upstreams } from './upstreams.ts';
export { Verdict } from './verdict.ts';
