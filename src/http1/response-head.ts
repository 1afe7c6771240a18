import { STATUS_CODES } from 'node:http';
import { type Body, bodyLength } from '../http/body.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { type Headers, hasHeader } from '../http/headers.ts';
import type { RepeatedAnswer, Timed } from '../http/repeated.ts';
import { endsAtConnection, Kind, kindOf } from './kinds.ts';

/** How the client finds the end of an answer's content (RFC 9112 §6.3). */
export const Framing = { none: 0, length: 1, chunked: 2, close: 3, tunnel: 4 } as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** @param length Of the content; negative where nobody knows it yet. */
export function framingOf(exchange: Exchange, status: number, length: number): Framing {
  if (status === 101) return Framing.tunnel;
  if (exchange.method === 'HEAD' || status === 204 || status === 304) return Framing.none;
  if (length >= 0) return Framing.length;
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

/**
 * What comes before the text of an answer that is given again and again: all that differs from one time to the next.
 * Its `text`, which follows, is made once.
 */
export function repeatedHead(
  exchange: Exchange,
  answer: RepeatedAnswer,
  timed: Timed,
  keep: boolean,
  wall: number,
): string {
  if (answer.text === '') makeText(answer);
  const lines = statusLine(answer.status) + answer.leading + timed.lines;
  const dated = answer.dated ? lines : lines + date(wall);
  return dated + idLine(exchange) + connectionLine(exchange, answer, !keep);
}

/** Lines and length of a repeated answer, the end of the head, and its content where that is short. */
function makeText(answer: RepeatedAnswer): void {
  const { status, headers, body, timedNames } = answer;
  const leading: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const isTimed = timedNames.includes(headers[i]!.toLowerCase());
    (isTimed ? leading : others).push(headers[i]!, headers[i + 1]!);
  }
  answer.leading = fieldLines({ status, headers: leading, body }, Framing.length, null);
  const lines = fieldLines({ status, headers: others, body }, Framing.length, null);
  const head = Buffer.from(`${lines}${lengthLine(body)}\r\n`, 'latin1');
  answer.text = (answer.isShort ? Buffer.concat([head, body]) : head).toString('latin1');
}

function lengthLine(body: Body): string {
  return `Content-Length: ${bodyLength(body)}\r\n`;
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
  return idLine(exchange) + framingLines(exchange, answer, framing, keep);
}

function idLine({ id }: Exchange): string {
  return id === '' ? '' : `x-request-id: ${id}\r\n`;
}

function linesOf(headers: Headers): string {
  let text = '';
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]!}: ${headers[i + 1]!}\r\n`;
  return text;
}

function framingLines(exchange: Exchange, answer: Fields, framing: Framing, keep: boolean): string {
  let text = '';
  if (framing === Framing.length) text = lengthLine(answer.body);
  else if (framing === Framing.chunked) text = 'Transfer-Encoding: chunked\r\n';
  else if (framing === Framing.tunnel) return 'Connection: Upgrade\r\n\r\n';
  // A local answer to HEAD says what GET would have got (RFC 9110 §9.3.2).
  else if (framing === Framing.none && exchange.method === 'HEAD' && bodyLength(answer.body) > 0) {
    text = lengthLine(answer.body);
  }
  return `${text}${connectionLine(exchange, answer, !keep || framing === Framing.close)}\r\n`;
}

function connectionLine(exchange: Exchange, { status, headers }: Fields, close: boolean): string {
  if (status === 426 && hasHeader(headers, 'upgrade'))
    return `Connection: ${close ? 'close, ' : ''}Upgrade\r\n`;
  if (close) return 'Connection: close\r\n';
  return exchange.version === 10 ? 'Connection: keep-alive\r\n' : '';
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
