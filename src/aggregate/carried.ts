import type { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { removeHeader, sameName } from '../http/headers.ts';
import { isForwarded, isTraceparent, newTraceparent } from '../pipeline/index.ts';
import type { Random } from '../util/random.ts';

/**
 * What of the client's headers each call carries: its language, its trace, and from a trusted proxy where the
 * request came from. Nothing else of the client's reaches a service.
 */
export function carriedHeaders(exchange: Exchange, random: Random): Headers {
  const { headers, trusted } = exchange;
  const carried: Headers = [];
  const state: Headers = [];
  let traced: 'not' | 'validly' | 'invalidly' = 'not';
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (sameName(name, 'accept-language')) carried.push(name, value);
    else if (sameName(name, 'traceparent')) {
      traced = traced === 'not' && isTraceparent(value) ? 'validly' : 'invalidly';
      if (traced === 'validly') carried.push(name, value);
    } else if (sameName(name, 'tracestate')) state.push(name, value);
    else if (trusted && isForwarded(name)) carried.push(name, value);
  }
  if (traced === 'validly') carried.push(...state);
  // All calls belong to one new trace; nothing of the invalid one goes on (W3C Trace Context, §3.3).
  if (traced === 'invalidly') return [...withoutTrace(carried), 'traceparent', newTraceparent(random)];
  return carried;
}

function withoutTrace(headers: Headers): Headers {
  removeHeader(headers, 'traceparent');
  return headers;
}
