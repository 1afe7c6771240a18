import type { ErrorCode } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { Kind, kindOf } from './kinds.ts';

/**
 * Message heads, parsed as RFC 9112 §2–§6 and RFC 9110 §5 allow and not a byte more: there is no lenient
 * mode. Text is latin1: one character a byte.
 */

/** What the connection-level headers of a head say, gathered in the one pass over it. */
export class Head {
  readonly headers: Headers = [];
  /** 10 or 11. */
  version = 11;
  /** -1: no Content-Length. */
  contentLength = -1;
  chunked = false;
  /** The Connection options `close` and `keep-alive`. */
  close = false;
  keepAlive = false;
  /** The value of Keep-Alive; null where there is none. */
  kept: string | null = null;
  /** The value of Upgrade, where Connection names it too; else null (RFC 9110 §7.8). */
  upgrade: string | null = null;
  upgradeNamed = false;
  /** Lower-case names that Connection nominates to end here, beside the ones that always do. */
  nominated: string[] | null = null;
  /** The value of Host; null where there is none. */
  host: string | null = null;
  expect: string | null = null;
  /** TE names `trailers`. */
  trailers = false;
}

export class RequestHead extends Head {
  method = '';
  target = '';
}

export class ResponseHead extends Head {
  status = 0;
}

export interface HeadLimits {
  uri: number;
  headers: number;
}

const TOKEN = table("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** field-vchar, SP, HTAB, obs-text (RFC 9110 §5.5). */
const VALUE = new Uint8Array(256).fill(1, 0x20, 0x7f).fill(1, 0x80);
VALUE[9] = 1;

function table(characters: string): Uint8Array {
  const set = new Uint8Array(256);
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1;
  return set;
}

const CR = 13;
const LF = 10;
const SP = 32;
const HTAB = 9;
const COLON = 58;

/**
 * Parses `text`: request line and header lines, each with its CRLF, without the empty line at the end.
 * Gives back the code of what is wrong where something is.
 */
export function parseRequestHead(text: string, limits: HeadLimits): RequestHead | ErrorCode {
  let at = 0;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  if (at === 0 || text.charCodeAt(at) !== SP) return 'TG_REQUEST_MALFORMED';
  const head = new RequestHead();
  head.method = text.slice(0, at);
  const start = ++at;
  let code = text.charCodeAt(at);
  while (code > SP && code < 0x7f) code = text.charCodeAt(++at);
  if (at === start || code !== SP) return 'TG_REQUEST_MALFORMED';
  if (at - start > limits.uri) return 'TG_REQUEST_URI_TOO_LONG';
  head.target = text.slice(start, at);
  const problem = requestVersion(text, at + 1, head);
  if (problem !== null) return problem;
  const broken = parseFields(text, at + 11, head, limits.headers);
  if (broken !== null) return broken;
  return checkRequest(head);
}

/** `HTTP/1.1` and the end of its line. */
function requestVersion(text: string, at: number, head: Head): ErrorCode | null {
  if (text.startsWith('HTTP/1.1\r\n', at)) return null;
  const end = text.indexOf('\r', at);
  const word = text.slice(at, end < 0 ? undefined : end);
  if (text.charCodeAt(end + 1) !== LF || !/^HTTP\/\d\.\d$/.test(word)) return 'TG_REQUEST_MALFORMED';
  if (word === 'HTTP/1.1') head.version = 11;
  else if (word === 'HTTP/1.0') head.version = 10;
  else return 'TG_REQUEST_VERSION';
  return null;
}

/** Parses a status line and header lines; the status line's reason is not kept (RFC 9112 §4). */
export function parseResponseHead(text: string, maxHeaders: number): ResponseHead | ErrorCode {
  const head = new ResponseHead();
  if (text.startsWith('HTTP/1.1 ')) head.version = 11;
  else if (text.startsWith('HTTP/1.0 ')) head.version = 10;
  else return 'TG_UPSTREAM_INVALID';
  head.status = digit(text, 9) * 100 + digit(text, 10) * 10 + digit(text, 11);
  // A missing reason with its space is seen from old servers, and means the same.
  let at = 12;
  if (!(head.status >= 100 && head.status <= 599)) return 'TG_UPSTREAM_INVALID';
  if (text.charCodeAt(at) === SP) while (VALUE[text.charCodeAt(at)] === 1) at++;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return 'TG_UPSTREAM_INVALID';
  if (parseFields(text, at + 2, head, maxHeaders) !== null) return 'TG_UPSTREAM_INVALID';
  // Both framings at once may be an attempt at splitting (RFC 9112 §6.3): never guess.
  // So may a coding that HTTP/1.0 does not have (§6.1).
  if (head.chunked && (head.contentLength >= 0 || head.version === 10)) return 'TG_UPSTREAM_INVALID';
  return head;
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}

/** The header lines from `at` on. */
export function parseFields(text: string, at: number, head: Head, most: number): ErrorCode | null {
  const headers = head.headers;
  const end = text.length;
  let count = 0;
  while (at < end) {
    let stop = at;
    while (TOKEN[text.charCodeAt(stop)] === 1) stop++;
    // Also white space before the colon, and obs-fold (RFC 9112 §5.1, §5.2).
    if (stop === at || text.charCodeAt(stop) !== COLON) return 'TG_REQUEST_MALFORMED';
    const name = text.slice(at, stop);
    let from = stop + 1;
    let code = text.charCodeAt(from);
    while (code === SP || code === HTAB) code = text.charCodeAt(++from);
    let to = from;
    while (VALUE[text.charCodeAt(to)] === 1) to++;
    at = to + 2;
    if (text.charCodeAt(to) !== CR || text.charCodeAt(to + 1) !== LF) return 'TG_REQUEST_MALFORMED';
    while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
    if (++count > most) return 'TG_REQUEST_HEAD_TOO_LARGE';
    const value = text.slice(from, to);
    headers.push(name, value);
    const kind = kindOf(name);
    if (kind !== Kind.ordinary) {
      const problem = note(head, kind, value);
      if (problem !== null) return problem;
    }
  }
  if (head.upgrade !== null && !head.upgradeNamed) head.upgrade = null;
  return null;
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB;
}

/** Keeps what a header says about framing and the connection. */
function note(head: Head, kind: Kind, value: string): ErrorCode | null {
  switch (kind) {
    case Kind.host:
      if (head.host !== null) return 'TG_REQUEST_HOST';
      head.host = value;
      return null;
    case Kind.contentLength:
      // A second line or a list is ambiguous even when equal (RFC 9110 §8.6 lets a recipient refuse it).
      if (head.contentLength >= 0 || !/^\d{1,15}$/.test(value)) return 'TG_REQUEST_FRAMING';
      head.contentLength = Number(value);
      return null;
    case Kind.transferEncoding:
      return noteCoding(head, value);
    case Kind.connection:
      noteConnection(head, value);
      return null;
    case Kind.upgrade:
      head.upgrade = head.upgrade === null ? value : `${head.upgrade}, ${value}`;
      return null;
    case Kind.expect:
      if (head.expect !== null && head.expect !== value) return 'TG_REQUEST_EXPECTATION';
      head.expect = value;
      return null;
    case Kind.keepAlive:
      head.kept = value;
      return null;
    case Kind.te:
      if (/(^|,)[ \t]*trailers[ \t]*(;|,|$)/i.test(value)) head.trailers = true;
      return null;
    default:
      return null;
  }
}

/** Only `chunked`, once, alone (RFC 9112 §6.1). */
function noteCoding(head: Head, value: string): ErrorCode | null {
  if (head.chunked) return 'TG_REQUEST_FRAMING';
  if (value === 'chunked' || value.toLowerCase() === 'chunked') {
    head.chunked = true;
    return null;
  }
  // A known coding before a final `chunked` is well framed, but none is understood here.
  return /^[ \t]*(?:(?:gzip|x-gzip|deflate|compress|x-compress)[ \t]*,[ \t]*)+chunked$/i.test(value)
    ? 'TG_REQUEST_ENCODING'
    : 'TG_REQUEST_FRAMING';
}

function noteConnection(head: Head, value: string): void {
  if (value === 'keep-alive' || value === 'Keep-Alive') {
    head.keepAlive = true;
    return;
  }
  // Only these two are white space here; `trim` takes away 0xa0 as well, which other parsers keep.
  for (const option of value.toLowerCase().split(/[ \t]*,[ \t]*/)) {
    if (option === '') continue;
    if (option === 'close') head.close = true;
    else if (option === 'keep-alive') head.keepAlive = true;
    else if (option === 'upgrade') head.upgradeNamed = true;
    // Headers that frame or address the message can't be taken away by naming them (RFC 9110 §7.6.1).
    else if (kindOf(option) === Kind.ordinary) nominate(head, option);
  }
}

function nominate(head: Head, name: string): void {
  head.nominated ??= [];
  head.nominated.push(name);
}

/** What only requests must obey. */
function checkRequest(head: RequestHead): RequestHead | ErrorCode {
  if (head.chunked && (head.contentLength >= 0 || head.version === 10)) return 'TG_REQUEST_FRAMING';
  if (head.host === null && head.version === 11) return 'TG_REQUEST_HOST';
  if (head.version === 10) head.upgrade = null;
  return head;
}
