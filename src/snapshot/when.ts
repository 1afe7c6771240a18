import type { RouteConfig } from '../config/model.ts';
import { compileExpression, EvaluationFailure, readsPartOf, requestScope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { RequestSubject } from '../pipeline/index.ts';
import type { When } from '../router/index.ts';
import { variables } from './variables.ts';

/** A `when` that fails does not match. */
export function compileWhen(when: RouteConfig['match']['when']): When | null {
  if (when === null) return null;
  const program = compileExpression(when, requestScope, { expects: 'bool' });
  const holds = (exchange: Exchange) => {
    try {
      return program.evaluate(variables(exchange)) === true;
    } catch (error) {
      if (error instanceof EvaluationFailure) return false;
      throw error;
    }
  };
  if (!readsPartOf(program.mentions, 'params'))
    return (subject) => holds((subject as RequestSubject).exchange);
  return (subject, params) => {
    const { exchange } = subject as RequestSubject;
    const before = exchange.params;
    exchange.params = params();
    const result = holds(exchange);
    exchange.params = before;
    return result;
  };
}
