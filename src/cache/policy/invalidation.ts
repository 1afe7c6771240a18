import { getHeaders, getJoined, type Headers } from '../../http/headers.ts';
import { parseStringList } from './structured.ts';

export interface Exchanged {
  readonly method: string;
  readonly status: number;
  /** Absolute. */
  readonly requestUrl: string;
  readonly responseHeaders: Headers;
}

/** Safe methods change nothing (RFC 9110 §9.2.1); a method that isn't known may change something. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/** Absolute URLs whose stored answers an exchange made invalid (RFC 9111 §4.4), without fragments; each once. */
export function invalidatedBy(exchanged: Exchanged): string[] {
  if (SAFE.has(exchanged.method) || exchanged.status < 200 || exchanged.status >= 400) return [];
  const target = new URL(exchanged.requestUrl);
  const urls = new Set([withoutFragment(target)]);
  for (const name of ['location', 'content-location']) {
    for (const reference of getHeaders(exchanged.responseHeaders, name)) {
      const url = URL.canParse(reference, target.href) ? new URL(reference, target) : null;
      // Nobody invalidates what is another origin's.
      if (url !== null && url.origin === target.origin) urls.add(withoutFragment(url));
    }
  }
  return [...urls];
}

/** Groups of the same origin that an unsafe exchange made invalid (RFC 9875 §3). */
export function invalidatedGroups(exchanged: Pick<Exchanged, 'method' | 'responseHeaders'>): string[] {
  return SAFE.has(exchanged.method) ? [] : groups(exchanged.responseHeaders, 'cache-group-invalidation');
}

/** Groups an answer belongs to (RFC 9875 §2), each once; a malformed field names none. */
export function cacheGroups(headers: Headers): string[] {
  return groups(headers, 'cache-groups');
}

function groups(headers: Headers, name: string): string[] {
  const text = getJoined(headers, name);
  return text === undefined ? [] : [...new Set(parseStringList(text) ?? [])];
}

function withoutFragment(url: URL): string {
  url.hash = '';
  return url.href;
}
