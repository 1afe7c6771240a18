import type { Headers } from '../../http/headers.ts';
import { removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { currentAge, freshFor } from './age.ts';
import type { RequestCacheFields, RequestDirectives } from './request.ts';
import type { RoutePolicy } from './route-policy.ts';

/** Why the request went on to the origin (RFC 9211 §2.2). */
export type Forward =
  | 'bypass'
  | 'method'
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'request'
  | 'stale'
  | 'partial';

/**
 * What to do with a request.
 * - `fresh`, `stale-allowed` (the client takes it stale): answer from the entry.
 * - `stale-while-revalidate`: answer from the entry, and revalidate it in the background.
 * - `revalidate`: ask the origin with the entry's validators; `canUseOnError` says what an error may do.
 * - `miss`: ask the origin, for nothing stored fits.
 * - `forward`: the request is for the origin alone; don't answer it from the cache.
 * - `unsatisfiable`: answer 504, as `only-if-cached` asks (RFC 9111 §5.2.1.7).
 */
export interface Use {
  readonly kind:
    | 'fresh'
    | 'stale-allowed'
    | 'stale-while-revalidate'
    | 'revalidate'
    | 'miss'
    | 'forward'
    | 'unsatisfiable';
  /** Null for hits. */
  readonly forward: Forward | null;
  readonly detail: string | null;
}

const use = (kind: Use['kind'], forward: Forward | null, detail: string | null): Use =>
  Object.freeze({ kind, forward, detail });

const FRESH = use('fresh', null, null);
const STALE_ALLOWED = use('stale-allowed', null, 'max-stale');
const WHILE_REVALIDATE = use('stale-while-revalidate', null, 'stale-while-revalidate');
const STALE = use('revalidate', 'stale', null);
const NO_CACHE = use('revalidate', 'stale', 'no-cache');
const ASKED = {
  noCache: use('revalidate', 'request', 'no-cache'),
  maxAge: use('revalidate', 'request', 'max-age'),
  minFresh: use('revalidate', 'request', 'min-fresh'),
};
const URI_MISS = use('miss', 'uri-miss', null);
const VARY_MISS = use('miss', 'vary-miss', null);
const PRECONDITION = use('forward', 'request', 'precondition');
const UNSATISFIABLE = use('unsatisfiable', null, 'only-if-cached');

/**
 * Judges the selected entry for a request (RFC 9111 §4), without making objects. `entry` is undefined where
 * no stored answer was selected; `others` says that the key has answers for other values of Vary. `now` in ms.
 */
export function judgeUse(
  entry: Entry | undefined,
  request: RequestCacheFields,
  now: number,
  policy: RoutePolicy,
  others = false,
): Use {
  const directives = policy.ignoreClientDirectives ? null : request.directives;
  const judged = judge(entry, request, directives, now, others);
  return directives?.onlyIfCached && judged.forward !== null ? UNSATISFIABLE : judged;
}

function judge(
  entry: Entry | undefined,
  request: RequestCacheFields,
  directives: RequestDirectives | null,
  now: number,
  others: boolean,
): Use {
  // If-Match and If-Unmodified-Since guard the origin's state: only it can evaluate them (RFC 9111 §4.3.2).
  if (request.ifMatch !== null || request.ifUnmodifiedSince !== null) return PRECONDITION;
  if (entry === undefined) return others ? VARY_MISS : URI_MISS;
  const left = freshFor(entry, now);
  if (entry.noCache) return NO_CACHE;
  if (left <= 0) return judgeStale(entry, directives, left, now);
  return directives === null ? FRESH : judgeAsked(entry, directives, left, now);
}

/** A fresh entry, for a client that has its own idea of fresh. */
function judgeAsked(entry: Entry, directives: RequestDirectives, left: number, now: number): Use {
  if (directives.noCache) return ASKED.noCache;
  if (isTooOld(entry, directives, now) && entry.immutable !== true) return ASKED.maxAge;
  if (directives.minFresh !== null && left < directives.minFresh) return ASKED.minFresh;
  return FRESH;
}

function judgeStale(entry: Entry, directives: RequestDirectives | null, left: number, now: number): Use {
  if (entry.mustRevalidate) return STALE;
  if (directives === null) return isWithin(entry.staleWhileRevalidate, left) ? WHILE_REVALIDATE : STALE;
  if (directives.noCache || directives.minFresh !== null || isTooOld(entry, directives, now)) return STALE;
  // What the client says about staleness holds before what the origin allows.
  if (directives.maxStale !== null && -left <= directives.maxStale) return STALE_ALLOWED;
  // max-age alone says that nothing stale is wanted (RFC 9111 §5.2.1.1).
  if (directives.maxAge !== null && directives.maxStale === null) return STALE;
  return isWithin(entry.staleWhileRevalidate, left) ? WHILE_REVALIDATE : STALE;
}

/** No time at all allows nothing, not even in the moment in which the entry turns stale. */
function isWithin(allowed: number, left: number): boolean {
  return allowed > 0 && -left <= allowed;
}

function isTooOld(entry: Entry, directives: RequestDirectives, now: number): boolean {
  return directives.maxAge !== null && currentAge(entry, now) > directives.maxAge;
}

/**
 * May the entry stand in for an error (RFC 5861 §4)? `status` is the origin's, null where none came.
 * `stale-if-error` of the request holds before the entry's. An error that is stored is no stand-in for a newer one.
 */
export function canUseOnError(
  entry: Entry,
  now: number,
  status: number | null,
  directives: RequestDirectives | null = null,
): boolean {
  if ((status !== null && !isError(status)) || isError(entry.status)) return false;
  if (entry.mustRevalidate || entry.noCache || directives?.noCache) return false;
  const allowed = directives?.staleIfError ?? entry.staleIfError;
  return isWithin(allowed, freshFor(entry, now));
}

/** RFC 5861 §4. */
function isError(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

const CLIENTS_OWN = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
];

/**
 * The head with which the gateway reads the origin for the cache: a client's conditions and ranges are taken off,
 * since they are evaluated against what is stored afterwards, and validators of the entry (and of `variants`, other
 * entries of the key, RFC 9111 §4.3.1) are put on. A copy.
 */
export function validationHeaders(
  entry: Entry | undefined,
  requestHeaders: Headers,
  variants: readonly Entry[] = [],
): Headers {
  const headers = requestHeaders.slice();
  for (const name of CLIENTS_OWN) removeHeader(headers, name);
  const tags = new Set(
    [entry, ...variants].map((stored) => stored?.etag).filter((etag) => etag !== undefined),
  );
  if (tags.size > 0) headers.push('If-None-Match', [...tags].join(', '));
  if (entry?.lastModified !== undefined) headers.push('If-Modified-Since', entry.lastModified);
  return headers;
}
