import type { CallConfig } from '../config/model.ts';

/** Variables that stand in every aggregate, so no call and no item can have their names. */
const VARIABLES: readonly string[] = ['request', 'params', 'auth', 'response', 'error'];
/** Those that stand where a batch is. */
const OF_BATCH: readonly string[] = ['items', 'part'];

/** Names that no call, and no `as`, may have beside these calls. */
export function takenNames(calls: readonly CallConfig[]): readonly string[] {
  return calls.some(({ each }) => each?.batch != null) ? [...VARIABLES, ...OF_BATCH] : VARIABLES;
}
