import type { Expression } from '../../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  errorVariables,
  type Scope,
  toJson,
  type Variables,
} from '../../expression/index.ts';
import type { Reply } from '../../http/exchange.ts';
import { removeHeader } from '../../http/headers.ts';

/** Gives the gateway's own errors a body of the user's shape, as JSON. In place; a body that fails stays as it was. */
export type ErrorBody = (answer: Reply, vars: Variables) => void;

/**
 * Compiles `errors.body`: CEL over `error` (`status`, `title`, `code`, `detail`) and the request.
 *
 * @throws ExpressionError
 */
export function compileErrorBody(source: Expression, scope: Scope): ErrorBody {
  const program = compileExpression(source, scope);
  return (answer, vars) => {
    const { failure } = answer;
    if (failure === null) return;
    const { status, title, detail } = failure.entry;
    try {
      const value = program.evaluate(errorVariables(vars, { status, title, code: failure.code, detail }));
      answer.body = Buffer.from(toJson(value));
    } catch (error) {
      if (error instanceof EvaluationFailure) return;
      throw error;
    }
    removeHeader(answer.headers, 'content-type');
    answer.headers.push('content-type', 'application/json');
  };
}
