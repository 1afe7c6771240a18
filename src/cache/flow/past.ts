import { type BodySink, isSource } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type CacheStatusParams, cacheStatus } from '../policy/index.ts';
import type { Out } from './contract.ts';
import type { FlightRoute } from './flight-route.ts';
import type { Waiter } from './waiter.ts';

const DISCARD: BodySink = { write: () => true, end: () => {}, fail: () => {} };

/**
 * Asks the origin past the cache: nothing of the answer is kept. What could have been kept is asked with nothing that
 * isn't in the key all the same.
 */
export function askPast<T>(
  route: FlightRoute<T>,
  exchange: Exchange,
  out: Out<T>,
  line: CacheStatusParams,
): void {
  exchange.cache = line;
  const { query } = exchange;
  if (line.fwd !== 'method') leaveOut(route, exchange);
  route.origin(exchange, {
    finish: (_exchange, answer, transform) => {
      // Whoever looks at the request from here on sees it as it came.
      exchange.query = query;
      if (answer.tunnel === null) answer.headers.push('Cache-Status', cacheStatus(line));
      out.finish(exchange, answer, transform);
    },
  });
}

/** The same for one who has looked, and perhaps waited. */
export function pass<T>(route: FlightRoute<T>, waiter: Waiter<T>, detail: string | null): void {
  const line = { ...waiter.line, ...(detail === null ? {} : { detail }) };
  askPast(route, waiter.exchange, waiter.out, line);
}

/** What is not in the key does not reach the origin: headers, parameters, the body of a GET. */
function leaveOut<T>(route: FlightRoute<T>, exchange: Exchange): void {
  exchange.headers.splice(0, Infinity, ...route.headersFor(exchange));
  exchange.query = route.rules.keyOf(exchange).query;
  if (route.rules.body || !isSource(exchange.body)) return;
  exchange.body.open(DISCARD);
  exchange.body = null;
}
