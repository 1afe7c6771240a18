import { type ExchangeVariables, JsonError, parseJson } from '../expression/index.ts';
import { collect } from '../http/collect.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Clock } from '../util/clock.ts';
import { problem } from './problem.ts';
import type { Filter, Phase } from './route.ts';

/** What is read of a body that an expression looks into, where the route names no `maxBody`. */
const DEFAULT_READ = 1024 * 1024;

/**
 * Reads the request's JSON for the expressions of a route that mention `request.body`. The bytes themselves go
 * on to the service as they came.
 */
export function readRequestBody(
  maxBody: number,
  variables: (exchange: Exchange) => ExchangeVariables,
  clock: Clock,
  phase: Phase = 'admit',
): Filter {
  const limit = maxBody === Number.POSITIVE_INFINITY ? DEFAULT_READ : maxBody;
  return {
    phase,
    async run(exchange): Promise<Reply | null> {
      const { body } = exchange;
      if (body === null) return null;
      // The client waits for leave, and only here is it known that the body is wanted (RFC 9110 §10.1.1).
      if (exchange.expectsContinue && body.length <= limit) exchange.responder.inform(exchange, 100, []);
      exchange.expectsContinue = false;
      const bytes = await collect(body, limit, new Failure('TG_REQUEST_BODY_TOO_LARGE'));
      if (bytes instanceof Failure) return problem(bytes, exchange.id);
      // The time that the client took for it is not the service's.
      exchange.dispatchedAt = clock.now();
      // None, which only its end could tell: chunks, or a stream, with nothing in it.
      exchange.body = bytes.length === 0 ? null : bytes;
      if (exchange.body === null) return null;
      try {
        variables(exchange).body = parseJson(bytes, { duplicates: 'reject', spelling: 'keep' });
        return null;
      } catch (error) {
        if (error instanceof JsonError)
          return problem(new Failure('TG_REQUEST_BODY_JSON', error.message), exchange.id);
        throw error;
      }
    },
  };
}
