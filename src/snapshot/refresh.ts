import { Refreshes, type RefreshRule } from '../cache/index.ts';
import type { GatewayConfig, RouteCacheConfig, RouteConfig } from '../config/model.ts';
import type { Counters, Tracer } from '../telemetry/index.ts';
import type { SnapshotParts } from './compile.ts';

/** What the routes of a config fill again once it is unseated; null: none says `refresh`. */
export function refreshesOf({ routes }: GatewayConfig, { clock, cache }: SnapshotParts): Refreshes | null {
  return Object.values(routes).some(isRefreshed) ? new Refreshes(clock, cache.fences) : null;
}

function isRefreshed({ cache, action }: RouteConfig): boolean {
  if (cache?.refresh) return true;
  return action.kind === 'aggregate' && action.aggregate.calls.some((call) => call.cache?.refresh);
}

/** What `refresh` of a route is compiled against. */
export interface RefreshParts {
  readonly refreshes: Refreshes | null;
  readonly counters: Counters;
  readonly tracer: Tracer | null;
}

/**
 * Compiles `refresh`; null: what a change unseats waits for its next reader.
 *
 * @param equip What is kept with a request. Default: nothing.
 */
export function compileRefresh(
  route: string,
  { refresh }: RouteCacheConfig,
  { refreshes, counters, tracer }: RefreshParts,
  equip: RefreshRule['equip'] = () => 0,
): RefreshRule | null {
  if (!refresh || refreshes === null) return null;
  return {
    refreshes,
    counter: counters.route(route),
    equip,
    trace: () => tracer?.own('cache refresh', { 'tidegate.route': route }) ?? null,
  };
}
