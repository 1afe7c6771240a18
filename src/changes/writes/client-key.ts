import { hash } from 'node:crypto';
import {
  compileExpression,
  EvaluationFailure,
  type Program,
  readsPartOf,
  requestScope,
  toJson,
  type Variables,
} from '../../expression/index.ts';
import type { Exchange } from '../../http/exchange.ts';

/** Tells one client from another, by a short text that tells nothing else; null: nobody can be told apart by it. */
export type ClientKey = (exchange: Exchange, variables: Variables) => string | null;

/** Compiles `readYourWrites`. */
export function compileClientKey(
  source: string,
  expression: Parameters<typeof compileExpression>[0],
): ClientKey {
  const program = compileExpression(expression, requestScope);
  const namesAuth = readsPartOf(program.mentions, 'auth');
  return (exchange, variables) => {
    const value = textOf(program, variables);
    if (value === null) return null;
    // Two providers may know two people by one name.
    const { provider = '' } = (namesAuth ? (exchange.identity ?? {}) : {}) as { readonly provider?: string };
    return hash('sha256', JSON.stringify([source, provider, value]), 'base64url');
  };
}

function textOf(program: Program, variables: Variables): string | null {
  try {
    const value = program.evaluate(variables);
    if (value === null || value === '') return null;
    return typeof value === 'string' ? value : toJson(value);
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}
