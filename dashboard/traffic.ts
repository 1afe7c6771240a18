import type { Figures, RouteMoves, Sample, Series } from './api.ts';

/** Seconds that are remembered. */
export const MOST = 600;
/** Seconds over which a rate is told: what comes now and then does not flicker. */
const WINDOW = 5;
/** Points of a route's line, each of them `EVERY` seconds long. */
const SPARKS = 40;
export const EVERY = 3;
/** Milliseconds after which what is known of routes is too old to go on from. */
const AWAY = 10_000;
/** Routes whose lines are kept. */
const MOST_ROUTES = 200;

export interface Rates extends RouteMoves {
  readonly name: string;
}

/** Of a route that nobody asks. */
export const NOTHING: Rates = {
  name: '',
  requests: 0,
  hits: 0,
  refused: 0,
  errors: 0,
  p50: null,
  p99: null,
};

export interface Flowing {
  readonly routes: ReadonlyMap<string, Rates>;
  readonly edges: readonly { route: string; service: string; requests: number; errors: number }[];
  readonly listeners: readonly { listener: string; route: string; requests: number }[];
}

/** What the node does from second to second: ten minutes of its figures, and what moved in the last few seconds. */
export class Traffic {
  /** The oldest first. */
  readonly history: Figures[] = [];
  /** When the last of them ended, ms since 1970. */
  until = 0;
  private readonly window: Sample[] = [];
  private readonly lines = new Map<string, number[]>();
  private seconds = 0;

  /** What was before the page was open, or while it was away. */
  begin({ until, requests, p50, p99, hitShare, errors }: Series): void {
    if (Date.parse(until) - this.until > AWAY) {
      this.window.length = 0;
      this.lines.clear();
    }
    this.history.length = 0;
    for (const [i, count] of requests.entries())
      this.history.push({
        requests: count,
        p50: p50[i]!,
        p99: p99[i]!,
        hitShare: hitShare[i]!,
        errors: errors[i]!,
      });
    this.until = Date.parse(until);
  }

  /** False: it is known already. */
  add(sample: Sample): boolean {
    const at = Date.parse(sample.at);
    if (at <= this.until) return false;
    const { requests, p50, p99, hitShare, errors } = sample;
    this.history.push({ requests, p50, p99, hitShare, errors });
    if (this.history.length > MOST) this.history.shift();
    this.until = at;
    this.window.push(sample);
    if (this.window.length > WINDOW) this.window.shift();
    this.keepLines(sample);
    return true;
  }

  /** Those of the last seconds: rates by their mean, times and shares by the newest second that has any. */
  now(): Figures {
    const seconds = this.history.slice(-WINDOW);
    const mean = (of: (one: Figures) => number) =>
      seconds.reduce((sum, one) => sum + of(one), 0) / Math.max(1, seconds.length);
    const newest = <T>(of: (one: Figures) => T | null) =>
      seconds.map(of).findLast((value) => value !== null) ?? null;
    return {
      requests: mean(({ requests }) => requests),
      errors: mean(({ errors }) => errors),
      p50: newest(({ p50 }) => p50),
      p99: newest(({ p99 }) => p99),
      hitShare: newest(({ hitShare }) => hitShare),
    };
  }

  flowing(): Flowing {
    const share = 1 / Math.max(1, this.window.length);
    const routes = new Map<string, Rates>();
    const edges = new Map<string, Flowing['edges'][number]>();
    const listeners = new Map<string, Flowing['listeners'][number]>();
    for (const sample of this.window) {
      for (const [name, moves] of Object.entries(sample.routes)) addRates(routes, name, moves, share);
      for (const { route, service, requests, errors } of sample.edges) {
        const edge = of(edges, `${route}\n${service}`, () => ({ route, service, requests: 0, errors: 0 }));
        edge.requests += requests * share;
        edge.errors += errors * share;
      }
      for (const { listener, route, requests } of sample.listeners)
        of(listeners, `${listener}\n${route}`, () => ({ listener, route, requests: 0 })).requests +=
          requests * share;
    }
    return { routes, edges: [...edges.values()], listeners: [...listeners.values()] };
  }

  /** Requests of a route in the last two minutes since the page was opened, the oldest first; whole points alone. */
  line(route: string): readonly number[] {
    return this.lines.get(route)?.slice(0, -1) ?? [];
  }

  private keepLines({ routes }: Sample): void {
    const fresh = this.seconds++ % EVERY === 0;
    if (fresh)
      for (const [name, line] of this.lines) {
        line.push(0);
        if (line.length > SPARKS + 1) line.shift();
        if (line.every((count) => count === 0)) this.lines.delete(name);
      }
    for (const [name, { requests }] of Object.entries(routes)) {
      let line = this.lines.get(name);
      if (line === undefined) {
        if (this.lines.size >= MOST_ROUTES) continue;
        line = [0];
        this.lines.set(name, line);
      }
      line[line.length - 1]! += requests;
    }
  }
}

function addRates(rates: Map<string, Rates>, name: string, more: RouteMoves, share: number): void {
  const sum = of(rates, name, () => ({ ...NOTHING, name }));
  sum.requests += more.requests * share;
  sum.hits += more.hits * share;
  sum.refused += more.refused * share;
  sum.errors += more.errors * share;
  sum.p50 = more.p50 ?? sum.p50;
  sum.p99 = more.p99 ?? sum.p99;
}

function of<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
