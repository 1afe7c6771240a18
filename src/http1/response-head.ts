import { STATUS_CODES } from 'node:http';
import { type Body, bodyLength } from '../http/body.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import type { Clock } from '../util/clock.ts';
import { Kind, kindOf } from './kinds.ts';

/** How the client finds the end of an answer's content (RFC 9112 §6.3). */
export const Framing = { none: 0, length: 1, chunked: 2, close: 3, tunnel: 4 } as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

export function framingOf(exchange: Exchange, status: number, body: Body): Framing {
  if (status === 101) return Framing.tunnel;
  if (exchange.method === 'HEAD' || status === 204 || status === 304) return Framing.none;
  if (bodyLength(body) >= 0) return Framing.length;
  return exchange.version === 11 ? Framing.chunked : Framing.close;
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

let dateAt = 0;
let dateLine = '';

/** The Date line, made once a second. */
function date(clock: Clock): string {
  const second = Math.floor(clock.wall() / 1000);
  if (second !== dateAt) {
    dateAt = second;
    dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}

/**
 * The head of the final answer, re-made from what was understood of the service's: hop-by-hop headers and
 * framing are the gateway's own.
 */
export function responseHead(
  exchange: Exchange,
  answer: Reply,
  framing: Framing,
  keep: boolean,
  clock: Clock,
): string {
  const headers = answer.headers;
  let text = statusLine(answer.status);
  let dated = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    switch (kindOf(name)) {
      case Kind.contentLength:
        if (framing !== Framing.none || answer.status === 204 || answer.body !== null) continue;
        break;
      case Kind.transferEncoding:
      case Kind.connection:
      case Kind.hop:
      case Kind.requestId:
        continue;
      case Kind.upgrade:
        if (framing !== Framing.tunnel) continue;
        break;
      case Kind.date:
        dated = true;
        break;
      default:
    }
    text += `${name}: ${headers[i + 1]!}\r\n`;
  }
  if (!dated) text += date(clock);
  if (exchange.id !== '') text += `x-request-id: ${exchange.id}\r\n`;
  return text + framingLines(exchange, answer, framing, keep);
}

function framingLines(exchange: Exchange, answer: Reply, framing: Framing, keep: boolean): string {
  let text = '';
  if (framing === Framing.length) text = `Content-Length: ${bodyLength(answer.body)}\r\n`;
  else if (framing === Framing.chunked) text = 'Transfer-Encoding: chunked\r\n';
  else if (framing === Framing.tunnel) return 'Connection: Upgrade\r\n\r\n';
  // A local answer to HEAD says what GET would have got (RFC 9110 §9.3.2).
  else if (framing === Framing.none && exchange.method === 'HEAD' && bodyLength(answer.body) > 0) {
    text = `Content-Length: ${bodyLength(answer.body)}\r\n`;
  }
  if (!keep || framing === Framing.close) return `${text}Connection: close\r\n\r\n`;
  return exchange.version === 10 ? `${text}Connection: keep-alive\r\n\r\n` : `${text}\r\n`;
}

/** An interim answer (RFC 9110 §15.2). */
export function interimHead(status: number, headers: Headers): string {
  let text = statusLine(status);
  for (let i = 0; i < headers.length; i += 2) {
    const kind = kindOf(headers[i]!);
    if (
      kind === Kind.contentLength ||
      kind === Kind.transferEncoding ||
      kind === Kind.connection ||
      kind === Kind.hop
    )
      continue;
    text += `${headers[i]!}: ${headers[i + 1]!}\r\n`;
  }
  return `${text}\r\n`;
}

export function trailerLines(trailers: Headers | null): string {
  let text = '0\r\n';
  if (trailers !== null) {
    for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]!}: ${trailers[i + 1]!}\r\n`;
  }
  return `${text}\r\n`;
}
