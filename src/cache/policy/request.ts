import { type Headers, sameName } from '../../http/headers.ts';
import { deltaSeconds, eachDirective } from './directives.ts';

/** Directives of a request (RFC 9111 §5.2.1). Seconds; null where absent or invalid. */
export interface RequestDirectives {
  readonly maxAge: number | null;
  readonly minFresh: number | null;
  /** Infinity: stale by any time. */
  readonly maxStale: number | null;
  readonly staleIfError: number | null;
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
}

/** What of a request's head a cache looks at, found in one pass. */
export interface RequestCacheFields {
  /** Null where the request says nothing to caches. */
  readonly directives: RequestDirectives | null;
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
  readonly ifModifiedSince: string | null;
  readonly ifUnmodifiedSince: string | null;
  readonly ifRange: string | null;
  readonly range: string | null;
  readonly authorization: boolean;
  readonly cookie: boolean;
  /** `tidegate-after`: positions of change sources that the answer must not be older than. */
  readonly after: string | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NOTHING: RequestCacheFields = Object.freeze(nothing());

/** One pass over a request's head. A request that has none of the fields costs no memory. */
export function scanRequest(headers: Headers): RequestCacheFields {
  let found: Mutable<RequestCacheFields> | null = null;
  let cacheControl: string | null = null;
  let pragma: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const kind = kindOf(name);
    if (kind === null) continue;
    const value = headers[i + 1]!;
    found ??= nothing();
    if (kind === 'cacheControl') cacheControl = joined(cacheControl, value);
    else if (kind === 'pragma') pragma = joined(pragma, value);
    else if (kind === 'authorization' || kind === 'cookie') found[kind] = true;
    else found[kind] = joined(found[kind], value);
  }
  if (found === null) return NOTHING;
  found.directives = directivesOf(cacheControl, pragma);
  return found;
}

/** The directives of a request; null where it says nothing to caches. */
export function requestDirectives(headers: Headers): RequestDirectives | null {
  return scanRequest(headers).directives;
}

function nothing(): Mutable<RequestCacheFields> {
  return {
    directives: null,
    ifMatch: null,
    ifNoneMatch: null,
    ifModifiedSince: null,
    ifUnmodifiedSince: null,
    ifRange: null,
    range: null,
    authorization: false,
    cookie: false,
    after: null,
  };
}

type Kind = Exclude<keyof RequestCacheFields, 'directives'> | 'cacheControl' | 'pragma';

/** The length alone rules out nearly all fields. */
function kindOf(name: string): Kind | null {
  switch (name.length) {
    case 5:
      return sameName(name, 'range') ? 'range' : null;
    case 6:
      if (sameName(name, 'cookie')) return 'cookie';
      return sameName(name, 'pragma') ? 'pragma' : null;
    case 8:
      if (sameName(name, 'if-match')) return 'ifMatch';
      return sameName(name, 'if-range') ? 'ifRange' : null;
    case 13:
      if (sameName(name, 'cache-control')) return 'cacheControl';
      if (sameName(name, 'authorization')) return 'authorization';
      return sameName(name, 'if-none-match') ? 'ifNoneMatch' : null;
    case 14:
      return sameName(name, 'tidegate-after') ? 'after' : null;
    case 17:
      return sameName(name, 'if-modified-since') ? 'ifModifiedSince' : null;
    case 19:
      return sameName(name, 'if-unmodified-since') ? 'ifUnmodifiedSince' : null;
    default:
      return null;
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

function directivesOf(cacheControl: string | null, pragma: string | null): RequestDirectives | null {
  if (cacheControl !== null) return parseRequest(cacheControl);
  // Pragma counts only where Cache-Control is absent (RFC 9111 §5.4).
  if (pragma === null) return null;
  let noCache = false;
  eachDirective(pragma, (name) => {
    noCache ||= name === 'no-cache';
  });
  return noCache ? parseRequest('no-cache') : null;
}

function parseRequest(text: string): RequestDirectives {
  const read: Mutable<RequestDirectives> = {
    maxAge: null,
    minFresh: null,
    maxStale: null,
    staleIfError: null,
    noCache: false,
    noStore: false,
    onlyIfCached: false,
  };
  eachDirective(text, (name, argument) => {
    const seconds = deltaSeconds(argument);
    // Of several that differ the strictest counts.
    if (name === 'max-age') read.maxAge = least(read.maxAge, seconds);
    else if (name === 'min-fresh')
      read.minFresh = seconds === null ? read.minFresh : Math.max(read.minFresh ?? 0, seconds);
    else if (name === 'max-stale')
      read.maxStale = least(read.maxStale, argument === null ? Infinity : seconds);
    else if (name === 'stale-if-error') read.staleIfError = least(read.staleIfError, seconds);
    else if (name === 'no-cache') read.noCache = true;
    else if (name === 'no-store') read.noStore = true;
    else if (name === 'only-if-cached') read.onlyIfCached = true;
  });
  return read;
}

function least(before: number | null, seconds: number | null): number | null {
  if (seconds === null) return before;
  return before === null ? seconds : Math.min(before, seconds);
}
