import type { RouteCacheConfig, RouteConfig } from '../config/model.ts';
import { compileExpression, readsPartOf, type Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { formatDuration } from '../util/duration.ts';
import { maskUrl } from '../util/secret-looks.ts';
import { compileCacheRules } from './cache-rules.ts';
import { scopesOf } from './scopes.ts';

/** What the cache would do with a request, without looking into one. */
export interface ExplainedCache {
  /** Whether it can be answered from the cache at all, in a sentence. */
  says: string;
  /** What tells its entry apart, in words; empty where it goes past the cache. */
  key: string[];
  /** Whose the answer is. */
  whose: 'everyone' | 'each subject' | 'all of one key' | 'unsaid';
  /** How long it is fresh, in words. */
  fresh: string;
  /** Tags that are known before there is an answer; null: they can't be told. */
  tags: string[] | null;
  /** Asked for often, it is filled again once a change has unseated it. */
  refreshed: boolean;
}

/** Null: the route keeps no answers. `awaited`: who asks is found out by asking somebody, which is not done here. */
export function explainCache(
  route: RouteConfig,
  exchange: Exchange,
  awaited: boolean,
): ExplainedCache | null {
  const { cache } = route;
  if (cache === null) return null;
  const rules = compileCacheRules({ ...route, cache }, scopesOf(route), {
    place: '',
    patience: 0,
    transform: null,
    ownCookies: [],
  });
  const keyed = rules.keyOf(exchange);
  const open = awaited && keyed.key === null && dependsOnWhoAsks(cache, scopesOf(route).request);
  const past = pastFor(exchange, cache, keyed.key === null && !open);
  return {
    says: past ?? (open ? ONCE_KNOWN : 'may be answered from the cache, else fills it'),
    key: past === null ? [maskUrl(keyed.url), ...partsOf(cache)] : [],
    whose: whoseOf(cache),
    fresh: freshness(cache),
    tags: rules.requestTags === null ? [] : rules.requestTags(exchange),
    refreshed: cache.refresh,
  };
}

function dependsOnWhoAsks({ vary }: RouteCacheConfig, scope: Scope): boolean {
  return vary === null || readsPartOf(compileExpression(vary, scope).mentions, 'auth');
}

const ONCE_KNOWN = 'may be answered from the cache, else fills it, once it is known who asks';

function pastFor(
  { method, upgrade }: Exchange,
  { policy, vary }: RouteCacheConfig,
  keyless: boolean,
): string | null {
  if (upgrade !== null) return 'goes past the cache: it asks to switch protocols';
  if (method !== 'HEAD' && !policy.methods.includes(method))
    return `goes past the cache: answers to ${method} are not kept`;
  if (!keyless) return null;
  return vary === null
    ? 'goes past the cache: nobody is known whose answer it would be'
    : 'goes past the cache: vary has no value here';
}

function partsOf({ key, vary, private: own }: RouteCacheConfig): string[] {
  return [
    ...key.headers.map((name) => `header ${name}`),
    ...key.cookies.map((name) => `cookie ${name}`),
    ...(vary === null ? [] : [typeof vary === 'string' ? vary : 'vary, a function']),
    ...(own ? ['who asks'] : []),
    ...(key.body ? ['the body'] : []),
  ];
}

function whoseOf({ policy, private: own, vary }: RouteCacheConfig): ExplainedCache['whose'] {
  if (own || vary === 'auth.subject') return 'each subject';
  if (policy.owner === 'named') return 'all of one key';
  return policy.owner === 'shared' ? 'everyone' : 'unsaid';
}

function freshness({ policy: { ttl, override } }: RouteCacheConfig): string {
  const seconds = ttl.byStatus[200] ?? ttl.bare ?? ttl.default;
  if (seconds === null) return 'as long as its service says';
  const time = formatDuration(seconds * 1000);
  return override ? `${time}, whatever its service says` : `${time}, where its service says nothing`;
}
