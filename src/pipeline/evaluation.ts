import { EvaluationFailure } from '../expression/index.ts';
import { type ErrorCode, Failure } from '../http/errors.ts';

/**
 * What follows for the client from an expression that failed at a place that needs its value: 400 where the
 * request brought what can't be used, else `otherwise`. Anything that isn't a failed evaluation is a bug, and
 * is thrown on.
 */
export function failureOf(error: unknown, otherwise: ErrorCode): Failure {
  if (!(error instanceof EvaluationFailure)) throw error;
  const code = error.origin === 'request' && error.kind !== 'budget' ? 'TG_REQUEST_VALUE' : otherwise;
  return new Failure(code, error.message);
}
