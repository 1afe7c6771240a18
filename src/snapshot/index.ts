export { compileSnapshot, type Snapshot, type SnapshotParts } from './compile.ts';
export { describeRoute, type RouteDescription } from './describe-route.ts';
export { placesOf } from './describe-service.ts';
export {
  BadRequest,
  type Destination,
  type Explained,
  type ExplainRequest,
  explainRequest,
  idleAuthRoom,
  splitUrl,
} from './explain.ts';
export type { ExplainedCall, ExplainedPlan } from './explain-plan.ts';
export { PolicyTest, type TestIdentity, type Verdict } from './policy-test.ts';
export { requestVariables, variables } from './variables.ts';
