import { parsePercent } from '../../util/percent.ts';
import type { CacheKeyConfig, RouteCacheConfig, RoutePolicyConfig } from '../model.ts';
import type { RouteCacheInput } from '../schema/types.ts';
import { countOf, durationOf, listOf, sizeOf } from './scalars.ts';

type CacheInput = Extract<RouteCacheInput, object>;

const MAX_SIZE = 10 * 1024 * 1024;
const MAX_TAGS = 1000;

/** What a route, or `defaults`, say of keeping answers; null: nothing is kept. `true` is RFC 9111 alone. */
export function routeCacheOf(input: RouteCacheInput | undefined): RouteCacheConfig | null {
  if (input === undefined || input === 'none') return null;
  if (typeof input !== 'object') return isTrue(input) ? routeCacheOf({}) : null;
  return {
    policy: policyOf(input),
    key: keyOf(input.key ?? {}),
    vary: input.vary ?? null,
    shared: isTrue(input.shared),
    private: isTrue(input.private),
    ignoreCookies: isTrue(input.ignoreCookies),
    store: input.store ?? null,
    tags: listOf(input.tags),
    maxTags: countOf(input.maxTags, MAX_TAGS),
    refresh: isTrue(input.refresh),
    audit:
      input.audit === undefined
        ? null
        : { share: parsePercent(input.audit), ignore: listOf(input.auditIgnore) },
  };
}

function policyOf(input: CacheInput): RoutePolicyConfig {
  return {
    ttl: ttlOf(input.ttl),
    override: isTrue(input.override),
    ignore: new Set(listOf(input.ignore)),
    setCookie: input.setCookie ?? 'refuse',
    staleWhileRevalidate: secondsOf(input.staleWhileRevalidate),
    staleIfError: secondsOf(input.staleIfError),
    methods: input.methods === undefined ? ['GET', 'HEAD'] : listOf<string>(input.methods),
    private: isTrue(input.private),
    owner: ownerOf(input),
    silentOnAuthorization: ownerOf(input) !== 'none' && !namesAuthorization(input),
    maxSize: sizeOf(input.maxSize, MAX_SIZE),
    ignoreClientDirectives: isTrue(input.ignoreClientDirectives),
    heuristic: false,
  };
}

/** Whose answer it is: what names the user in the key counts before what says that all get the same. */
function ownerOf(input: CacheInput): RoutePolicyConfig['owner'] {
  const cookies = input.key?.cookies ?? [];
  if (input.vary !== undefined || isTrue(input.private) || cookies.length > 0) return 'named';
  return isTrue(input.shared) || isTrue(input.ignoreCookies) ? 'shared' : 'none';
}

function namesAuthorization({ shared, private: own, vary, key }: CacheInput): boolean {
  if (isTrue(shared) || isTrue(own)) return true;
  if (textsOf(key?.headers).some((name) => name.toLowerCase() === 'authorization')) return true;
  return /\bauth\b|authorization/i.test(String(vary ?? ''));
}

function ttlOf(input: CacheInput['ttl']): RoutePolicyConfig['ttl'] {
  if (input === undefined) return { byStatus: {}, bare: null, default: null };
  if (typeof input === 'string') return { byStatus: {}, bare: secondsOf(input), default: null };
  const { default: others, ...named } = input;
  const byStatus = Object.fromEntries(
    Object.entries(named).map(([status, text]) => [Number(status), durationOf(text, 0) / 1000]),
  );
  return { byStatus, bare: null, default: secondsOf(others) };
}

function keyOf({ query, headers, cookies, body }: NonNullable<CacheInput['key']>): CacheKeyConfig {
  return {
    query: queryOf(query),
    headers: distinct(textsOf(headers).map((name) => name.toLowerCase())),
    cookies: distinct(textsOf(cookies)),
    body: isTrue(body),
  };
}

function queryOf(query: NonNullable<CacheInput['key']>['query']): CacheKeyConfig['query'] {
  if (query === undefined) return { kind: 'all' };
  if (Array.isArray(query)) return { kind: 'only', names: distinct(textsOf(query)) };
  const names = distinct(textsOf(query.ignore));
  return names.length > 0 || isTrue(query.sort)
    ? { kind: 'ignore', names, sort: isTrue(query.sort) }
    : { kind: 'all' };
}

function secondsOf(text: string | undefined): number | null {
  return text === undefined ? null : durationOf(text, 0) / 1000;
}

/** Entries that were found wrong have left holes. */
function textsOf(value: string | readonly string[] | undefined): string[] {
  return listOf(value).filter((text) => text !== undefined);
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function isTrue(value: boolean | string | undefined): boolean {
  return String(value) === 'true';
}
