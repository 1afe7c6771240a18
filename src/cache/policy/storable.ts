import { getHeader, type Headers, hasHeader } from '../../http/headers.ts';
import { isEventStream } from '../../http/media-type.ts';
import type { KeptHead } from '../entry.ts';
import { ageOnArrival } from './age.ts';
import { type Directives, responseDirectives } from './directives.ts';
import { lifetimeOf } from './lifetime.ts';
import type { StoreRefusal } from './refusals.ts';
import { scanRequest } from './request.ts';
import type { RoutePolicy } from './route-policy.ts';
import { isUnderstood } from './status.ts';
import { keepsPrivate, storedHeaders } from './stored-headers.ts';
import { varyNames, varyValues } from './vary.ts';

/** A request and the head of its answer. Times are of the wall clock, in ms. */
export interface Judged {
  readonly method: string;
  readonly requestHeaders: Headers;
  /** A provider authenticated the request, by whatever means. */
  readonly authenticated: boolean;
  /** The request carries a Cookie that can reach a service or an expression. */
  readonly hasCookie: boolean;
  readonly status: number;
  readonly responseHeaders: Headers;
  readonly policy: RoutePolicy;
  readonly requestAt: number;
  readonly responseAt: number;
}

export interface NotStored {
  readonly storable: false;
  readonly reason: StoreRefusal;
}

/** What it is stored as, all but its content and what it is filed under. */
export interface Storable extends KeptHead {
  readonly storable: true;
  readonly immutable: boolean;
}

/** May this answer be stored (RFC 9111 §3), and as what? Whether the body is whole is for the reader of it to say. */
export function judgeStorable(judged: Judged): Storable | NotStored {
  const directives = responseDirectives(judged.responseHeaders);
  const reason = refusal(judged, directives);
  if (reason !== null) return { storable: false, reason };
  const { status, responseHeaders, policy, responseAt } = judged;
  const lifetime = lifetimeOf(status, responseHeaders, directives, policy, responseAt);
  // What each use validates needs no lifetime.
  if (lifetime === null && !isNoCache(directives, policy)) return { storable: false, reason: 'no-lifetime' };
  const storable = describe(judged, directives, lifetime ?? 0);
  return isUseful(storable) ? storable : { storable: false, reason: 'stale' };
}

function refusal(judged: Judged, directives: Directives): StoreRefusal | null {
  const { method, status, policy } = judged;
  if (method === 'HEAD') return 'head';
  if (!policy.methods.includes(method)) return 'method';
  if (status < 200 || status === 304) return 'status';
  if (status === 206) return 'partial';
  return (
    refusedByDirectives(judged, directives) ?? refusedByOwner(judged, directives) ?? refusedByHead(judged)
  );
}

/** What directives of either side forbid. */
export function refusedByDirectives(
  judged: Pick<Judged, 'policy' | 'status' | 'requestHeaders'>,
  directives: Directives,
): StoreRefusal | null {
  const { policy, status } = judged;
  if (!policy.ignoreClientDirectives && scanRequest(judged.requestHeaders).directives?.noStore)
    return 'request-no-store';
  // With must-understand, no-store is for caches that don't know the status (RFC 9111 §5.2.2.3).
  if (directives.mustUnderstand && !isUnderstood(status)) return 'must-understand';
  if (directives.noStore && !directives.mustUnderstand && !policy.ignore.has('no-store')) return 'no-store';
  return directives.private && !keepsPrivate(policy) ? 'private' : null;
}

/** RFC 9111 §3.5, for cookies as for credentials. */
function refusedByOwner(judged: Judged, directives: Directives): StoreRefusal | null {
  const { owner, silentOnAuthorization } = judged.policy;
  if (owner !== 'none' && !silentOnAuthorization) return null;
  if (directives.public || directives.mustRevalidate || directives.sMaxage !== null) return null;
  if (hasHeader(judged.requestHeaders, 'authorization')) return 'authorization';
  if (owner !== 'none') return null;
  if (judged.authenticated) return 'authorization';
  return judged.hasCookie ? 'cookie' : null;
}

function refusedByHead({ responseHeaders, policy }: Judged): StoreRefusal | null {
  if (policy.setCookie === 'refuse' && hasHeader(responseHeaders, 'set-cookie')) return 'set-cookie';
  if (varyNames(responseHeaders) === '*' && !policy.ignore.has('vary')) return 'vary-star';
  if (isEventStream(responseHeaders)) return 'event-stream';
  const length = getHeader(responseHeaders, 'content-length');
  return length !== undefined && Number(length) > policy.maxSize ? 'too-large' : null;
}

/** What an answer is stored as, whether or not it may be. `lifetime` in seconds. */
export function describe(judged: Judged, directives: Directives, lifetime: number): Storable {
  const { status, responseHeaders, policy, requestAt, responseAt } = judged;
  const varyOn = storedVary(responseHeaders, policy);
  const headers = storedHeaders(responseHeaders, directives, policy, responseAt);
  return {
    storable: true,
    status,
    headers,
    requestAt,
    responseAt,
    ageAtResponse: ageOnArrival(responseHeaders, requestAt, responseAt),
    lifetime,
    staleWhileRevalidate: directives.staleWhileRevalidate ?? policy.staleWhileRevalidate ?? 0,
    staleIfError: directives.staleIfError ?? policy.staleIfError ?? 0,
    mustRevalidate: directives.mustRevalidate || directives.proxyRevalidate || directives.sMaxage !== null,
    noCache: isNoCache(directives, policy),
    varyOn,
    varyValues: varyValues(varyOn, judged.requestHeaders),
    private: policy.private,
    immutable: directives.immutable,
    etag: entityTag(headers),
    lastModified: getHeader(headers, 'last-modified'),
  };
}

function isNoCache(directives: Directives, policy: RoutePolicy): boolean {
  return directives.noCache && !policy.ignore.has('no-cache');
}

/** A route that ignores Vary still keeps codings apart. */
function storedVary(headers: Headers, policy: RoutePolicy): readonly string[] {
  const names = varyNames(headers);
  if (names === '*') return [];
  return policy.ignore.has('vary') ? names.filter((name) => name === 'accept-encoding') : names;
}

/** An ETag that isn't formed as one validates nothing (RFC 9110 §8.8.3). */
function entityTag(headers: Headers): string | undefined {
  const etag = getHeader(headers, 'etag');
  return etag !== undefined && /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
}

function isUseful(storable: Storable): boolean {
  if (storable.etag !== undefined || storable.lastModified !== undefined) return true;
  if (storable.noCache) return false;
  if (storable.lifetime > storable.ageAtResponse) return true;
  return !storable.mustRevalidate && storable.staleWhileRevalidate + storable.staleIfError > 0;
}
