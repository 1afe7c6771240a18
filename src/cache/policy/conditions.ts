import { getHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { parseHttpDate } from './http-date.ts';
import type { RequestCacheFields } from './request.ts';

/** Does the client have what is stored (RFC 9110 §13.2.2, RFC 9111 §4.3.2)? For GET and HEAD. `now` in ms. */
export function isNotModified(entry: Entry, request: RequestCacheFields, now: number): boolean {
  // Conditions count only where the answer without them would be a success (RFC 9110 §13.2.1).
  if (entry.status < 200 || entry.status > 299) return false;
  if (request.ifNoneMatch !== null) return matchesWeakly(request.ifNoneMatch, entry.etag);
  return request.ifModifiedSince !== null && isUnmodifiedSince(entry, request.ifModifiedSince, now);
}

/** Does If-Range allow a part (RFC 9110 §13.1.5)? Only by a strong validator. */
export function allowsRange(ifRange: string, entry: Entry, now: number): boolean {
  // A weak tag begins with no quote, and is no date.
  if (ifRange.startsWith('"')) return ifRange === entry.etag;
  return ifRange === entry.lastModified && isStrongDate(entry, now);
}

/** Does an If-None-Match name this tag (RFC 9110 §13.1.2)? */
export function matchesWeakly(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined) return false;
  const opaque = etag.startsWith('W/') ? etag.slice(2) : etag;
  let at = 0;
  while (at < list.length) {
    const start = list.startsWith('W/', at) ? at + 2 : at;
    const end = endOfTag(list, start);
    // What is no tag is read over to the next comma.
    const next = end < 0 ? list.indexOf(',', at) : afterSpace(list, end);
    if (end >= 0 && (next === list.length || list[next] === ',')) {
      if (list.slice(start, end) === opaque) return true;
    }
    const comma = next < 0 ? -1 : list.indexOf(',', next);
    if (comma < 0) return false;
    at = afterSpace(list, comma + 1);
  }
  return false;
}

/** Behind the closing quote of the tag that begins at `start`, which may hold commas; -1 where none begins there. */
function endOfTag(list: string, start: number): number {
  if (list[start] !== '"') return -1;
  const quote = list.indexOf('"', start + 1);
  return quote < 0 ? -1 : quote + 1;
}

function afterSpace(list: string, from: number): number {
  let at = from;
  while (list[at] === ' ' || list[at] === '\t') at++;
  return at;
}

/** Without Last-Modified the date of the answer counts, or when it came (RFC 9111 §4.3.2). */
function isUnmodifiedSince(entry: Entry, since: string, now: number): boolean {
  const asked = parseHttpDate(since, now);
  if (asked === null) return false;
  const changed = dateOf(entry.lastModified, now) ?? dateOf(getHeader(entry.headers, 'date'), now);
  return (changed ?? entry.responseAt) <= asked;
}

/** A date is strong where the content was at least a second old when it was sent (RFC 9110 §8.8.2.2). */
function isStrongDate(entry: Entry, now: number): boolean {
  const changed = dateOf(entry.lastModified, now);
  const sent = dateOf(getHeader(entry.headers, 'date'), now);
  return changed !== null && sent !== null && sent - changed >= 1000;
}

function dateOf(text: string | undefined, now: number): number | null {
  return text === undefined ? null : parseHttpDate(text, now);
}
