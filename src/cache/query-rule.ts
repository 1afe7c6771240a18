import type { CacheKeyConfig, GatewayConfig } from '../config/model.ts';
import { parameterName } from '../http/query.ts';
import { globOf } from '../util/glob.ts';

/** Which parameters of a query stand in the key, and in what order. */
export type QueryRule = CacheKeyConfig['query'];

/** A query as the key spells it; null: no parameter is left. */
export type QueryFilter = (query: string | null) => string | null;

/** Null: queries stand in the key as they came. */
export function compileQuery(rule: QueryRule): QueryFilter | null {
  if (rule.kind === 'all') return null;
  if (rule.kind === 'only') {
    const names = new Set(rule.names);
    return (query) => filtered(query, (name) => names.has(name), true);
  }
  const patterns = rule.names.map(globOf);
  return (query) => filtered(query, (name) => !patterns.some((pattern) => pattern.test(name)), rule.sort);
}

/** All rules of a config but the one that leaves queries as they come, each once. */
export function queryRules({ routes }: Pick<GatewayConfig, 'routes'>): QueryRule[] {
  const caches = Object.values(routes).flatMap(({ cache, action }) => [
    cache,
    ...(action.kind === 'aggregate' ? action.aggregate.calls.map((call) => call.cache) : []),
  ]);
  const rules = caches.flatMap((cache) => (cache === null ? [] : [cache.key.query]));
  const byText = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return [...byText.values()].filter(({ kind }) => kind !== 'all');
}

/** Parameters by their decoded names; those that stay keep the bytes they came in. */
function filtered(query: string | null, wanted: (name: string) => boolean, sort: boolean): string | null {
  if (query === null) return null;
  const kept = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => ({ pair, name: parameterName(pair) }))
    .filter(({ name }) => wanted(name));
  if (kept.length === 0) return null;
  // Several of one name stay in their order: it means something to services.
  if (sort) kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return kept.map(({ pair }) => pair).join('&');
}
