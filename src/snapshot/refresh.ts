import { Refreshes, type RefreshRule } from '../cache/index.ts';
import type { GatewayConfig, RouteCacheConfig } from '../config/model.ts';
import type { Counters, Tracer } from '../telemetry/index.ts';
import type { SnapshotParts } from './compile.ts';

/** What the routes of a config fill again once it is unseated; null: none says `refresh`. */
export function refreshesOf({ routes }: GatewayConfig, { clock, cache }: SnapshotParts): Refreshes | null {
  return Object.values(routes).some((route) => route.cache?.refresh)
    ? new Refreshes(clock, cache.fences)
    : null;
}

/** What `refresh` of a route is compiled against. */
export interface RefreshParts {
  readonly refreshes: Refreshes | null;
  readonly counters: Counters;
  readonly tracer: Tracer | null;
}

/** Compiles `refresh`; null: what a change unseats waits for its next reader. */
export function compileRefresh(
  route: string,
  { refresh }: RouteCacheConfig,
  { refreshes, counters, tracer }: RefreshParts,
): RefreshRule | null {
  if (!refresh || refreshes === null) return null;
  return {
    refreshes,
    counter: counters.route(route),
    trace: () => tracer?.own('cache refresh', { 'tidegate.route': route }) ?? null,
  };
}
