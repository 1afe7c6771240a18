import type { Expression } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  extendScope,
  JsonError,
  parseJson,
  ResponseVariables,
  readsPartOf,
  responseScope,
  type Scope,
  type Value,
} from '../expression/index.ts';
import { cancelBody } from '../http/body.ts';
import { collect } from '../http/collect.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { removeHeader } from '../http/headers.ts';
import { type Dispatch, problem } from '../pipeline/index.ts';
import type { VariablesOf } from './permit.ts';

/** What is read of an answer to decide about it. */
const LARGEST = 1024 * 1024;

/** Headers by which an answer comes coded, in part, or not at all (RFC 9110 §12.5.3, §13.1, §14.2). */
const PARTIAL = [
  'accept-encoding',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
] as const;

/**
 * `allowResponse`: what a service answered goes out only where the expression says so of it. It decides on the
 * resource itself, so it is for GET alone: an unsafe request would have done its work by then.
 */
export function permitResponse(
  source: Expression,
  scope: Scope,
  variables: VariablesOf,
  dispatch: Dispatch,
): Dispatch {
  const withResponse = extendScope(scope, { response: responseScope.variables.get('response')! });
  const program = compileExpression(source, withResponse, { expects: 'bool' });
  const readsBody = program.mentions.has('response') || readsPartOf(program.mentions, 'response.body');
  const allows = (exchange: Exchange, answer: Reply, body?: Value): boolean => {
    try {
      return program.evaluate(new ResponseVariables(variables(exchange).strict(), answer, body)) === true;
    } catch (error) {
      if (error instanceof EvaluationFailure) return false;
      throw error;
    }
  };
  return (exchange, out) => {
    if (exchange.method !== 'GET') {
      cancelBody(exchange.body);
      return out.finish(exchange, forbidden(exchange, 'its answer could not be looked at'), null);
    }
    // It must come whole, and as it is: of a 304 nobody could tell whose it is.
    for (const name of PARTIAL) removeHeader(exchange.headers, name);
    exchange.undecided = true;
    dispatch(exchange, {
      finish(_exchange, answer, transform) {
        if (answer.tunnel !== null) {
          answer.tunnel.source.cancel();
          return out.finish(exchange, forbidden(exchange, 'a tunnel could not be looked at'), transform);
        }
        if (answer.failure !== null || answer.status < 200 || answer.status > 299)
          return out.finish(exchange, answer, transform);
        if (!readsBody) {
          if (allows(exchange, answer)) return out.finish(exchange, answer, transform);
          cancelBody(answer.body);
          return out.finish(exchange, forbidden(exchange, NOT_ALLOWED), transform);
        }
        exchange.watch({ abort: () => cancelBody(answer.body) });
        collect(answer.body, LARGEST, new Failure('TG_AUTH_FORBIDDEN', 'its answer is too long')).then(
          (bytes) => {
            exchange.watch(null);
            if (exchange.aborted !== null) return;
            if (bytes instanceof Failure) return out.finish(exchange, problem(bytes, exchange.id), transform);
            const body = readBody(bytes);
            answer.body = bytes;
            if (body !== undefined && allows(exchange, answer, body))
              return out.finish(exchange, answer, transform);
            out.finish(exchange, forbidden(exchange, NOT_ALLOWED), transform);
          },
        );
      },
    });
  };
}

const NOT_ALLOWED = 'allowResponse is not true of the answer';

function forbidden(exchange: Exchange, why: string): Reply {
  exchange.refused = true;
  return problem(new Failure('TG_AUTH_FORBIDDEN', why), exchange.id);
}

function readBody(bytes: Buffer): Value | undefined {
  try {
    return parseJson(bytes, { duplicates: 'reject' });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
