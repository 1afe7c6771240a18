import { sumOfPhases, UNMATCHED } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { CacheControl } from './cache-view.ts';
import type { Fleet } from './fleet.ts';
import type { NodeDuties } from './node-duties.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { Reloading } from './reload.ts';
import { byNumber } from './worker-states.ts';

/** Whom a node is made of, as far as it can tell of itself. */
export interface NodeParts {
  readonly version: string;
  readonly clock: Clock;
  /** By the clock's `now`. */
  readonly startedAt: number;
  /** The same moment, milliseconds since 1970: it stays what it is, however the clock is set. */
  readonly bornAt: number;
  readonly fleet: Fleet;
  readonly duties: NodeDuties;
  readonly reloading: Reloading;
}

/** Asks workers and duties for all that `/metrics` tells. */
export async function gatherMetrics(
  { version, bornAt, fleet, duties, reloading }: NodeParts,
  caches: CacheControl,
): Promise<NodeMetrics> {
  const [sums, services, cache, { workers, auth }] = await Promise.all([
    fleet.counters(),
    fleet.services(),
    caches.cache(),
    fleet.states(),
  ]);
  const { reading, loadedAt } = reloading.inForce;
  const { certificates } = duties;
  return {
    version,
    startedAt: bornAt,
    loadedAt,
    reloads: reloading.counts,
    certificates: [...reading.outline.certificates, ...certificates.describe()],
    orders: certificates.orders(),
    routes: rowsOf([...reading.outline.routes.map(({ name }) => name), UNMATCHED], sums),
    phases: sumOfPhases(sums.values()),
    services,
    serving: fleet.readyCount,
    cache,
    changes: duties.changes.describe(),
    workers: byNumber(workers),
    auth,
  };
}

/** In the order of `names`; what has not counted yet has no row. */
function rowsOf(
  names: readonly string[],
  sums: ReadonlyMap<string, Float64Array>,
): Map<string, Float64Array> {
  return new Map(names.flatMap((name) => (sums.has(name) ? [[name, sums.get(name)!] as const] : [])));
}
