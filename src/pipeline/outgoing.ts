import type { Variables } from '../expression/index.ts';
import type { Body } from '../http/body.ts';
import { filterCookies } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { Framing, type OutgoingRequest } from '../http1/index.ts';
import type { Target } from '../upstream/index.ts';
import type { Random } from '../util/random.ts';
import { dropForwarded } from './forwarded.ts';
import { requestFraming, requestHead } from './request-head.ts';
import type { Side } from './side.ts';

/** One try of an exchange: what goes to which target. */
export interface Try {
  readonly exchange: Exchange;
  readonly side: Side;
  readonly target: Target;
  readonly method: string;
  /** Path and query, without the path of the target's URL. */
  readonly path: string;
  /** The Host that a template made; '' where none did. */
  readonly host: string;
  readonly vars: Variables;
  readonly body: Body;
  /** Of the span that it is recorded as; null: it is not. */
  readonly traceparent: string | null;
}

/** The request of a try as its connection sends it. */
export function outgoingRequest(one: Try, random: Random): OutgoingRequest {
  const { exchange, side, target, method } = one;
  const framing = requestFraming(exchange);
  let { headers } = exchange;
  if (side.handover !== null) headers = side.handover.without(exchange, headers);
  if (side.ownCookies.length > 0) {
    headers = headers.slice();
    // They are nobody else's business.
    filterCookies(headers, (name) => !side.ownCookies.includes(name));
  }
  if (side.request !== null) {
    headers = headers.slice();
    if (!exchange.trusted) dropForwarded(headers);
    side.request.apply(headers, one.vars);
  }
  const given = side.request?.gives ?? null;
  let told = side.handover === null ? '' : side.handover.lines(exchange);
  if (side.credential !== null) told += side.credential.line();
  const out = {
    method,
    target: target.path + one.path,
    host: hostFor(one),
    headers,
    given,
    told,
    traceparent: one.traceparent,
  };
  const head = requestHead(exchange, out, framing, random);
  const body =
    framing === Framing.none ? null : (side.handover?.withoutTrailers(exchange, one.body) ?? one.body);
  const { firstByte, idle } = side.timeouts;
  return { method, head, framing, body, upgrade: exchange.upgrade, firstByte, idle };
}

function hostFor({ exchange, side, target, host }: Try): string {
  if (side.host === null) return exchange.authority === '' ? target.authority : exchange.authority;
  return side.host === 'service' ? target.authority : host;
}
