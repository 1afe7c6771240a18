import { type BodySink, isSource } from '../http/body.ts';
import type { Dispatch } from '../pipeline/index.ts';
import type { CompiledAggregate } from './compiled.ts';
import { AggregateRun } from './run.ts';

export type { TagsOf } from './asking.ts';
export { type Address, compileAggregate, planOf } from './compiled.ts';
export { partTags, toldByHead, unsaid } from './keeping.ts';
export { keepVariables } from './kept-call.ts';
export { takenNames } from './names.ts';
export { type PlanCycle, planCalls } from './plan.ts';
export {
  type Attempt,
  aggregateScope,
  attemptNothing,
  type CallPrograms,
  compileAnswer,
  compileCallPrograms,
  whyNotCarried,
} from './programs.ts';

export { type Varies, variesBy } from './varies.ts';

/** Asks the calls of an aggregate, and answers with what they gave. */
export function aggregateDispatch(aggregate: CompiledAggregate): Dispatch {
  return (exchange, out) => {
    // No call is sent it: it is read all the same, so that the client's leaving behind it is seen.
    if (isSource(exchange.body)) exchange.body.open(DISCARD);
    new AggregateRun(aggregate, exchange, out).start();
  };
}

const DISCARD: BodySink = { write: () => true, end: () => {}, fail: () => {} };
