import { STATUS_CODES } from 'node:http';
import { type Body, bodyLength } from '../http/body.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { type Headers, hasHeader } from '../http/headers.ts';
import type { RepeatedAnswer } from '../http/repeated.ts';
import { endsAtConnection, Kind, kindOf } from './kinds.ts';

/** How the client finds the end of an answer's content (RFC 9112 §6.3). */
export const Framing = { none: 0, length: 1, chunked: 2, close: 3, tunnel: 4 } as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

export function framingOf(exchange: Exchange, status: number, body: Body): Framing {
  if (status === 101) return Framing.tunnel;
  if (exchange.method === 'HEAD' || status === 204 || status === 304) return Framing.none;
  if (bodyLength(body) >= 0) return Framing.length;
  return exchange.version === 11 ? Framing.chunked : Framing.close;
}

/** Where RFC 9110 has a newer phrase than Node. */
const REASONS: Readonly<Record<number, string>> = { 413: 'Content Too Large', 422: 'Unprocessable Content' };

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${REASONS[status] ?? STATUS_CODES[status] ?? ''}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

let dateAt = 0;
let dateLine = '';

/** The Date line, made once a second. */
function date(wall: number): string {
  const second = Math.floor(wall / 1000);
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
  wall: number,
): string {
  const lines = statusLine(answer.status) + fieldLines(answer, framing, wall);
  return lines + ownLines(exchange, framing, keep, answer);
}

/** The same of an answer that is given again and again, with its length: most of it is made once. */
export function repeatedHead(
  exchange: Exchange,
  answer: RepeatedAnswer,
  keep: boolean,
  wall: number,
): string {
  if (answer.lines === '')
    answer.lines = statusLine(answer.status) + fieldLines(answer, Framing.length, null);
  if (answer.varyingLines === '') answer.varyingLines = linesOf(answer.varying);
  const lines = answer.lines + answer.varyingLines;
  const dated = answer.dated ? lines : lines + date(wall);
  return dated + ownLines(exchange, Framing.length, keep, answer);
}

type Fields = Pick<Reply, 'status' | 'headers' | 'body'>;

/** The lines of the fields that pass, then Date where they have none and `wall` (ms since 1970) is there. */
function fieldLines(answer: Fields, framing: Framing, wall: number | null): string {
  const { headers } = answer;
  let text = '';
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
      case Kind.keepAlive:
      case Kind.te:
      case Kind.requestId:
        continue;
      case Kind.trailer:
        // Where no trailers can follow, none are announced.
        if (framing === Framing.length || framing === Framing.close) continue;
        break;
      case Kind.upgrade:
        // Which protocol the client must ask for, it must be told (RFC 9110 §15.5.22).
        if (framing !== Framing.tunnel && answer.status !== 426) continue;
        break;
      case Kind.date:
        dated = true;
        break;
      default:
    }
    text += `${name}: ${headers[i + 1]!}\r\n`;
  }
  return dated || wall === null ? text : text + date(wall);
}

/** The gateway's own: the request's id, and framing. */
function ownLines(exchange: Exchange, framing: Framing, keep: boolean, answer: Fields): string {
  const id = exchange.id === '' ? '' : `x-request-id: ${exchange.id}\r\n`;
  return id + framingLines(exchange, answer, framing, keep);
}

function linesOf(headers: Headers): string {
  let text = '';
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]!}: ${headers[i + 1]!}\r\n`;
  return text;
}

function framingLines(exchange: Exchange, answer: Fields, framing: Framing, keep: boolean): string {
  let text = '';
  if (framing === Framing.length) text = `Content-Length: ${bodyLength(answer.body)}\r\n`;
  else if (framing === Framing.chunked) text = 'Transfer-Encoding: chunked\r\n';
  else if (framing === Framing.tunnel) return 'Connection: Upgrade\r\n\r\n';
  // A local answer to HEAD says what GET would have got (RFC 9110 §9.3.2).
  else if (framing === Framing.none && exchange.method === 'HEAD' && bodyLength(answer.body) > 0) {
    text = `Content-Length: ${bodyLength(answer.body)}\r\n`;
  }
  const close = !keep || framing === Framing.close;
  if (answer.status === 426 && hasHeader(answer.headers, 'upgrade'))
    return `${text}Connection: ${close ? 'close, ' : ''}Upgrade\r\n\r\n`;
  if (close) return `${text}Connection: close\r\n\r\n`;
  return exchange.version === 10 ? `${text}Connection: keep-alive\r\n\r\n` : `${text}\r\n`;
}

/** An interim answer (RFC 9110 §15.2). */
export function interimHead(status: number, headers: Headers): string {
  let text = statusLine(status);
  for (let i = 0; i < headers.length; i += 2) {
    const kind = kindOf(headers[i]!);
    if (endsAtConnection(kind) || kind === Kind.contentLength) continue;
    text += `${headers[i]!}: ${headers[i + 1]!}\r\n`;
  }
  return `${text}\r\n`;
}

export function trailerLines(trailers: Headers | null): string {
  return trailers === null ? '0\r\n\r\n' : `0\r\n${linesOf(trailers)}\r\n`;
}
