import { getHeader, type Headers, hasHeader, removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { responseDirectives } from './directives.ts';
import { lifetimeOf } from './lifetime.ts';
import type { StoreRefusal } from './refusals.ts';
import type { RoutePolicy } from './route-policy.ts';
import { describe, type Judged, refusedByDirectives } from './storable.ts';
import { leftOut } from './stored-headers.ts';
import { varyNames } from './vary.ts';

/** An answer without content that speaks about a stored one. Times are of the wall clock, in ms. */
export interface Update {
  /** Of the 304, or of the answer to HEAD. */
  readonly headers: Headers;
  readonly requestHeaders: Headers;
  readonly policy: RoutePolicy;
  readonly requestAt: number;
  readonly responseAt: number;
  /** Number of the newest invalidation before the request was sent. */
  readonly sequence: number;
}

/** The entry brought up to date: answer from it; `refusal` says why it must not stay in the store, else null. */
export interface Freshened {
  readonly entry: Entry;
  readonly refusal: StoreRefusal | null;
}

/** They describe the stored content, which stays as it is (RFC 9111 §3.2). */
const OF_THE_CONTENT = ['content-encoding', 'content-length', 'content-range', 'content-type', 'etag'];

/**
 * Brings a stored answer up to date by a 304 (RFC 9111 §3.2, §4.3.4). Null where the 304 is about another
 * content than the one stored: then the origin is asked again without validators.
 */
export function freshen(entry: Entry, update: Update): Freshened | null {
  return isAbout(entry, update.headers) ? updated(entry, update) : null;
}

/**
 * Brings a stored answer up to date by a 200 to HEAD (RFC 9111 §4.3.5). Null where that shows another content:
 * the stored answer is then no longer to be used.
 */
export function applyHead(entry: Entry, update: Update): Freshened | null {
  const { headers } = update;
  const length = getHeader(headers, 'content-length');
  if (length !== undefined && Number(length) !== entry.body.length) return null;
  const lastModified = getHeader(headers, 'last-modified');
  if (lastModified !== undefined && lastModified !== entry.lastModified) return null;
  const etag = getHeader(headers, 'etag');
  return etag === undefined || etag === entry.etag ? updated(entry, update) : null;
}

/**
 * Which of the entries a 304 is about (RFC 9111 §4.3.4): those with its strong validator, else the newest one
 * with its weak validator or date; where it has no validator, the only entry if that has none either.
 */
export function validatedBy(entries: readonly Entry[], headers304: Headers): Entry | undefined {
  const etag = getHeader(headers304, 'etag');
  const lastModified = getHeader(headers304, 'last-modified');
  if (etag !== undefined) return newest(entries.filter((entry) => sameTag(entry.etag, etag)));
  if (lastModified !== undefined)
    return newest(entries.filter((entry) => entry.lastModified === lastModified));
  return entries.length === 1 ? entries[0] : undefined;
}

function newest(entries: readonly Entry[]): Entry | undefined {
  let found: Entry | undefined;
  for (const entry of entries) if (found === undefined || entry.responseAt > found.responseAt) found = entry;
  return found;
}

function isAbout(entry: Entry, headers304: Headers): boolean {
  const etag = getHeader(headers304, 'etag');
  if (etag !== undefined && entry.etag !== undefined) return sameTag(entry.etag, etag);
  const lastModified = getHeader(headers304, 'last-modified');
  if (lastModified === undefined || entry.etag !== undefined) return true;
  return entry.lastModified === undefined || entry.lastModified === lastModified;
}

/** Strong where the new one is strong, else weak (RFC 9110 §8.8.3.2). */
function sameTag(stored: string | undefined, told: string): boolean {
  if (stored === told) return true;
  return stored !== undefined && told.startsWith('W/') && stored === told.slice(2);
}

function updated(entry: Entry, update: Update): Freshened {
  const { policy, responseAt } = update;
  const headers = merged(entry, update);
  const judged: Judged = {
    ...update,
    method: 'GET',
    authenticated: false,
    hasCookie: false,
    status: entry.status,
    responseHeaders: headers,
  };
  const directives = responseDirectives(headers);
  const lifetime = lifetimeOf(entry.status, headers, directives, policy, responseAt) ?? 0;
  const { storable: _, ...stored } = describe(judged, directives, lifetime);
  const starred = varyNames(headers) === '*' && !policy.ignore.has('vary');
  return {
    entry: { ...entry, ...stored, sequence: update.sequence },
    refusal: refusedByDirectives(judged, directives) ?? (starred ? 'vary-star' : null),
  };
}

/** The stored fields, with those the update brings in the place of the ones of the same name. */
function merged(entry: Entry, { headers: fresh, policy }: Update): Headers {
  const headers = entry.headers.slice();
  const out = leftOut(fresh, responseDirectives(fresh), policy);
  for (const name of OF_THE_CONTENT) out.add(name);
  // What an entry without a tag is now known by.
  if (entry.etag === undefined) out.delete('etag');
  // It counts for the age, and is not stored.
  out.delete('age');
  const brought: Headers = [];
  for (let i = 0; i < fresh.length; i += 2) {
    if (!out.has(fresh[i]!.toLowerCase())) brought.push(fresh[i]!, fresh[i + 1]!);
  }
  for (let i = 0; i < brought.length; i += 2) removeHeader(headers, brought[i]!.toLowerCase());
  // A date of the old answer would make the new one old (RFC 9110 §6.6.1).
  if (!hasHeader(brought, 'date')) removeHeader(headers, 'date');
  return [...headers, ...brought];
}
