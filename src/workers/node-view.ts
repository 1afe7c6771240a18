import { UNMATCHED } from '../telemetry/index.ts';
import type { NodeStatus, NodeView } from './admin-contract.ts';
import { type CacheControl, cacheControl } from './cache-view.ts';
import { configControl } from './config-control.ts';
import { gatherMetrics, type NodeParts } from './gather-metrics.ts';
import { authority } from './listening.ts';
import type { NodeDuties } from './node-duties.ts';
import { purgeShown } from './purge-shown.ts';
import type { Reloading } from './reload.ts';

export interface NodeViewParts extends NodeParts {
  /** A successor starts. */
  isHandingOver(): boolean;
}

/** Names of a purge that watchers are told. */
const MOST_SHOWN = 100;

/** What a node tells of itself, and what it lets its operators do: its workers, its duties and its config as one. */
export function nodeView(parts: NodeViewParts): NodeView {
  const { fleet, duties, reloading } = parts;
  const { changes, targets } = duties;
  const caches = toldOfPurges(
    cacheControl(duties.sequence, () => fleet.caches()),
    duties,
  );
  return {
    status: () => statusOf(parts),
    unready: () => duties.readiness.why ?? (fleet.readyCount === 0 ? 'no worker is ready' : null),
    routes: () => routesOf(parts),
    services: () => fleet.services(),
    // A successor that starts has been told already what is drained.
    steerTarget: async (service, target, mode) =>
      parts.isHandingOver() ? 'handing over' : targets.steer(service, target, mode),
    explain: (request) => fleet.explain(request),
    recent: (wanted) => fleet.recent(wanted),
    changes: () => changes.describe(),
    posted: (source) => postedTo(reloading, source),
    push: (source, request) => changes.push(source, request),
    events: duties.events,
    series: () => duties.series.view(),
    metrics: () => gatherMetrics(parts, caches),
    ...caches,
    ...configControl(reloading),
  };
}

function statusOf({ version, clock, startedAt, fleet, reloading }: NodeParts): NodeStatus {
  const { inForce, refusal } = reloading;
  const { reading, loadedAt, source } = inForce;
  return {
    version,
    uptime: Math.round(clock.now() - startedAt) / 1000,
    workers: fleet.readyCount,
    config: {
      etag: reading.etag,
      loadedAt: new Date(loadedAt).toISOString(),
      source,
      refused: refusal && { at: new Date(refusal.at).toISOString(), error: refusal.report },
    },
    listeners: reloading.listening.map(({ name, host, port }) => ({
      name,
      address: authority(host, port),
    })),
  };
}

async function routesOf({ fleet, reloading }: NodeParts): ReturnType<NodeView['routes']> {
  const sums = await fleet.counters();
  const { outline, lines } = reloading.inForce.reading;
  return {
    routes: outline.routes.map((route) => ({
      route,
      line: lines[route.name] ?? null,
      row: sums.get(route.name),
    })),
    unmatched: sums.get(UNMATCHED),
  };
}

function postedTo(reloading: Reloading, source: string): ReturnType<NodeView['posted']> {
  const { changes } = reloading.inForce.reading.outline;
  const reader = Object.hasOwn(changes, source) ? changes[source]!.reader : null;
  return reader?.kind === 'http' ? reader : null;
}

/** Whoever watches the node hears of each purge that is done. */
function toldOfPurges(control: CacheControl, { events }: NodeDuties): CacheControl {
  return {
    ...control,
    purge: async (what) => {
      const done = await control.purge(what);
      events.publish('purge', { ...purgeShown(what, MOST_SHOWN), ...done });
      return done;
    },
  };
}
