import {
  EvaluationFailure,
  LayeredVariables,
  recordFields,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { CompiledCall } from './compiled.ts';
import type { Trouble } from './trouble.ts';

/** What becomes of a failure. */
export type Decision = 'fail' | 'null' | 'fallback' | 'pass' | 'accept';

const DECISIONS: ReadonlySet<string> = new Set(['fail', 'null', 'fallback', 'pass', 'accept']);

/** Is the body of an answer that is none of success looked at? */
export function isWanted(decision: Decision): boolean {
  return decision === 'accept' || decision === 'pass';
}

/** What a call says of this failure. What fails to say it, or says something else, lets it fail. */
export function decide(
  { programs, onError, name }: CompiledCall,
  vars: Variables,
  { kind, status }: Pick<Trouble, 'kind' | 'status'>,
): Decision {
  if (programs.onError === null) return onError;
  const error = recordFields({ call: name, kind, status: BigInt(status) });
  try {
    const decision = programs.onError.evaluate(new LayeredVariables(vars, { error }));
    if (decision === null) return 'null';
    return typeof decision === 'string' && DECISIONS.has(decision) ? (decision as Decision) : 'fail';
  } catch (failure) {
    if (failure instanceof EvaluationFailure) return 'fail';
    throw failure;
  }
}

/** What stands in the place of a body that isn't there. */
export function fallbackFor({ programs: { fallback } }: CompiledCall, vars: Variables): Value {
  if (fallback === null) return null;
  if ('value' in fallback) return fallback.value;
  try {
    return fallback.evaluate(vars);
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}
