import { getHeader, type Headers, removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { currentAge } from './age.ts';
import { allowsRange, isNotModified } from './conditions.ts';
import { type ByteRange, parseRanges } from './ranges.ts';
import type { RequestCacheFields } from './request.ts';
import { privateHeaders } from './stored-headers.ts';

/** An answer made from a stored one. */
export interface CachedAnswer {
  readonly status: number;
  /** Without Content-Length, which the writer makes of the body. */
  readonly headers: Headers;
  /**
   * Slices of the stored content, never copies; a list where several ranges were asked for. For HEAD the
   * content that GET would have, which the writer only measures.
   */
  readonly body: Buffer | Buffer[] | null;
}

/**
 * Answers from a stored answer that `judgeUse` allows: conditions (RFC 9110 §13) first, then ranges (§14).
 * @param now Wall clock, ms.
 * @param boundary Makes the boundary between several ranges: 1 to 70 characters of a token that the content doesn't hold.
 */
export function answerFromEntry(
  entry: Entry,
  request: RequestCacheFields,
  method: string,
  now: number,
  boundary: () => string,
): CachedAnswer {
  const headers = entry.private ? privateHeaders(entry.headers) : entry.headers.slice();
  headers.push('Age', String(Math.floor(currentAge(entry, now))));
  const readsOnly = method === 'GET' || method === 'HEAD';
  if (readsOnly && isNotModified(entry, request, now)) {
    return { status: 304, headers: notModifiedHeaders(entry, headers), body: null };
  }
  const ranges = method === 'GET' && request.range !== null ? rangesFor(entry, request, now) : null;
  if (ranges === null) return { status: entry.status, headers, body: entry.body };
  if (ranges.length === 0) return unsatisfiable(entry, headers);
  return ranges.length === 1
    ? single(entry, headers, ranges[0]!)
    : multiple(entry, headers, ranges, boundary());
}

/** Of the content's description only what tells contents apart (RFC 9110 §15.4.5). */
function notModifiedHeaders(entry: Entry, headers: Headers): Headers {
  const kept: Headers = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (DESCRIBING.has(name)) continue;
    if (name === 'last-modified' && entry.etag !== undefined) continue;
    kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}

const DESCRIBING: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-range',
  'content-digest',
  'content-disposition',
]);

function rangesFor(entry: Entry, request: RequestCacheFields, now: number): ByteRange[] | null {
  if (entry.status !== 200) return null;
  if (request.ifRange !== null && !allowsRange(request.ifRange, entry, now)) return null;
  return parseRanges(request.range!, entry.body.length);
}

function unsatisfiable(entry: Entry, headers: Headers): CachedAnswer {
  for (const name of DESCRIBING) removeHeader(headers, name);
  headers.push('Content-Range', `bytes */${entry.body.length}`);
  return { status: 416, headers, body: null };
}

function single(entry: Entry, headers: Headers, range: ByteRange): CachedAnswer {
  headers.push('Content-Range', contentRange(range, entry.body.length));
  // A digest of the content sent would no longer hold (RFC 9530 §2).
  removeHeader(headers, 'content-digest');
  return { status: 206, headers, body: entry.body.subarray(range.first, range.last + 1) };
}

function multiple(entry: Entry, headers: Headers, ranges: ByteRange[], boundary: string): CachedAnswer {
  const type = getHeader(headers, 'content-type');
  const typeLine = type === undefined ? '' : `Content-Type: ${type}\r\n`;
  const body: Buffer[] = [];
  for (const range of ranges) {
    const start = body.length === 0 ? '' : '\r\n';
    const line = `Content-Range: ${contentRange(range, entry.body.length)}\r\n`;
    body.push(Buffer.from(`${start}--${boundary}\r\n${typeLine}${line}\r\n`, 'latin1'));
    body.push(entry.body.subarray(range.first, range.last + 1));
  }
  body.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
  removeHeader(headers, 'content-type');
  removeHeader(headers, 'content-digest');
  headers.push('Content-Type', `multipart/byteranges; boundary=${boundary}`);
  return { status: 206, headers, body };
}

function contentRange({ first, last }: ByteRange, length: number): string {
  return `bytes ${first}-${last}/${length}`;
}
