import { bodyLength } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { Framing, Kind, kindOf } from '../http1/index.ts';
import type { Random } from '../util/random.ts';
import { forwarded, forwardedFor, forwardedHost, forwardedProto, via } from './forwarded.ts';
import { countsHops, oneHopLess } from './max-forwards.ts';
import { isTraceparent, newTraceparent } from './trace.ts';

/** What a request's head is made from, beside its exchange. */
export interface OutgoingHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** The client's headers, after the route's transform. */
  readonly headers: Headers;
  /** Lower-case names that the transform gave a value or removed: they stand as they are, or not at all. */
  readonly given: ReadonlySet<string> | null;
  /** Lines in which the service is told who asks, each with its CRLF. */
  readonly told: string;
  /** Names the try in a trace that is recorded here; null: the client's goes on. */
  readonly traceparent: string | null;
}

export function requestFraming(exchange: Exchange): Framing {
  const length = bodyLength(exchange.body);
  if (length > 0) return Framing.length;
  return length < 0 ? Framing.chunked : Framing.none;
}

/**
 * The head of a request to a service, written anew from what was understood of the client's: hop-by-hop
 * headers end here (RFC 9110 §7.6.1), and what the gateway itself says of the client replaces what the client
 * said. One pass over the headers and one string: this runs for every proxied request.
 */
export function requestHead(exchange: Exchange, out: OutgoingHead, framing: Framing, random: Random): string {
  const { headers, given } = out;
  let text = `${out.method} ${out.target} HTTP/1.1\r\nHost: ${out.host}\r\n${out.told}`;
  let viaLine: string | undefined;
  let chain: string | undefined;
  let proto: string | undefined;
  let host: string | undefined;
  let hops: string | undefined;
  let trace: string | undefined;
  let state = '';
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const kind = kindOf(name);
    if (kind !== Kind.ordinary && (given === null || !given.has(name.toLowerCase()))) {
      switch (kind) {
        case Kind.via:
          viaLine = joined(viaLine, value);
          continue;
        case Kind.forwardedFor:
          chain = joined(chain, value);
          continue;
        case Kind.forwardedProto:
          proto = joined(proto, value);
          continue;
        case Kind.forwardedHost:
          host = joined(host, value);
          continue;
        case Kind.forwarded:
          hops = joined(hops, value);
          continue;
        case Kind.traceparent:
          trace = joined(trace, value);
          continue;
        case Kind.tracestate:
          state += `${name}: ${value}\r\n`;
          continue;
        case Kind.forwardedOther:
          if (!exchange.trusted) continue;
          break;
        case Kind.expect:
          if (!exchange.expectsContinue || framing === Framing.none) continue;
          break;
        case Kind.trailer:
          if (framing !== Framing.chunked) continue;
          break;
        case Kind.maxForwards:
          if (!countsHops(out.method)) break;
          text += `${name}: ${oneHopLess(value)}\r\n`;
          continue;
        case Kind.date:
          break;
        default:
          // Host, framing, connection, identity, request id: the gateway's own, below.
          continue;
      }
    }
    text += `${name}: ${value}\r\n`;
  }
  if (given === null) {
    text += `X-Forwarded-For: ${forwardedFor(chain, exchange.origin.address, exchange.trusted)}\r\nX-Forwarded-Proto: ${forwardedProto(proto, exchange.origin.scheme, exchange.trusted)}\r\nVia: ${via(viaLine, exchange.version)}\r\nX-Request-Id: ${exchange.id}\r\n`;
  } else {
    text += unlessGiven(
      given,
      'X-Forwarded-For',
      forwardedFor(chain, exchange.origin.address, exchange.trusted),
    );
    text += unlessGiven(
      given,
      'X-Forwarded-Proto',
      forwardedProto(proto, exchange.origin.scheme, exchange.trusted),
    );
    text += unlessGiven(given, 'Via', via(viaLine, exchange.version));
    text += unlessGiven(given, 'X-Request-Id', exchange.id);
  }
  // An HTTP/1.0 client may name no host.
  const named = forwardedHost(host, exchange.authority, exchange.trusted);
  if (named !== '' && (given === null || !given.has('x-forwarded-host')))
    text += `X-Forwarded-Host: ${named}\r\n`;
  if (hops !== undefined) {
    const element = forwarded(
      hops,
      exchange.origin.address,
      exchange.origin.scheme,
      exchange.authority,
      exchange.trusted,
    );
    if (element !== undefined) text += `Forwarded: ${element}\r\n`;
  }
  if (out.traceparent !== null && (given === null || !given.has('traceparent')))
    text += `traceparent: ${out.traceparent}\r\n${trace !== undefined && isTraceparent(trace) ? state : ''}`;
  else if (trace !== undefined)
    text += isTraceparent(trace)
      ? `traceparent: ${trace}\r\n${state}`
      : `traceparent: ${newTraceparent(random)}\r\n`;
  return text + framingLines(exchange, out.method, framing);
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function unlessGiven(given: ReadonlySet<string>, name: string, value: string): string {
  return given.has(name.toLowerCase()) ? '' : `${name}: ${value}\r\n`;
}

function framingLines(exchange: Exchange, method: string, framing: Framing): string {
  let text = '';
  let options = '';
  if (framing === Framing.length) text = `Content-Length: ${bodyLength(exchange.body)}\r\n`;
  else if (framing === Framing.chunked) text = 'Transfer-Encoding: chunked\r\n';
  // Methods that usually have content say when they have none (RFC 9110 §8.6).
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') text = 'Content-Length: 0\r\n';
  const { upgrade } = exchange;
  if (upgrade !== null) {
    text += `Upgrade: ${upgrade}\r\n`;
    options = 'Upgrade';
  }
  if (exchange.acceptsTrailers) {
    text += 'TE: trailers\r\n';
    options = options === '' ? 'TE' : `${options}, TE`;
  }
  return options === '' ? `${text}\r\n` : `${text}Connection: ${options}\r\n\r\n`;
}
