import type { Route, Routes } from './api.ts';

/** What happened between two looks at the counters. */
export interface Sample {
  /** Requests a second. */
  readonly requests: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Of requests to routes with a cache; null: there were none. */
  readonly hitShare: number | null;
  /** 5xx a second. */
  readonly errors: number;
}

export interface RouteSample extends Sample {
  readonly route: Route;
  /** Answered from the cache, a second. */
  readonly hits: number;
  /** 4xx a second. */
  readonly refused: number;
}

export interface Look {
  readonly all: Sample;
  readonly routes: readonly RouteSample[];
}

const HITS = ['hit', 'stale', 'collapsed'];

/** Makes samples of counters that only grow. */
export class Sampler {
  private before: Routes | null = null;
  private at = 0;

  /** Null at the first look, which has nothing to be compared with. */
  look(now: Routes, at: number): Look | null {
    const { before } = this;
    const seconds = (at - this.at) / 1000;
    this.before = now;
    this.at = at;
    if (before === null || seconds <= 0) return null;
    const known = new Map(before.routes.map((route) => [route.name, route]));
    const routes = now.routes.map((route) => ({
      route,
      ...sampleOf([route], [known.get(route.name)], now.bounds, seconds),
    }));
    const unmatched = Math.max(0, now.unmatched.requests - before.unmatched.requests) / seconds;
    const all = sampleOf(
      now.routes,
      now.routes.map(({ name }) => known.get(name)),
      now.bounds,
      seconds,
    );
    return { all: { ...all, requests: all.requests + unmatched }, routes };
  }
}

function sampleOf(
  now: readonly Route[],
  before: readonly (Route | undefined)[],
  bounds: readonly number[],
  seconds: number,
): Sample & { hits: number; refused: number } {
  const grown = (of: (route: Route) => number) =>
    now.reduce(
      (sum, route, i) => sum + Math.max(0, of(route) - (before[i] === undefined ? 0 : of(before[i]))),
      0,
    );
  const durations = Array.from({ length: bounds.length + 1 }, (_, bucket) =>
    grown((route) => route.durations[bucket] ?? 0),
  );
  const hits = grown((route) => HITS.reduce((sum, name) => sum + (route.outcomes[name] ?? 0), 0));
  const cached = grown((route) =>
    Object.entries(route.outcomes).reduce((sum, [name, count]) => sum + (name === 'none' ? 0 : count), 0),
  );
  return {
    requests: grown((route) => route.requests) / seconds,
    p50: quantile(durations, bounds, 0.5),
    p99: quantile(durations, bounds, 0.99),
    hitShare: cached === 0 ? null : hits / cached,
    errors: grown((route) => route.serverError) / seconds,
    hits: hits / seconds,
    refused: grown((route) => route.clientError) / seconds,
  };
}

/** By straight lines within buckets. */
export function quantile(counts: readonly number[], bounds: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (below + count < share * total || count === 0) {
      below += count;
      continue;
    }
    const from = bucket === 0 ? 0 : bounds[bucket - 1]!;
    const to = bounds[bucket] ?? from;
    return from + ((to - from) * (share * total - below)) / count;
  }
  return bounds.at(-1)!;
}
