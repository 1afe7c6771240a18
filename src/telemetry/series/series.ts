import type { Clock, Timer } from '../../util/clock.ts';
import { quantileOf } from '../metrics/route-detail.ts';
import { addMoves, addRoute, allOf, type Moves, noMoves, type RouteMoves, routeMoves } from './moves.ts';

/** Seconds that are remembered. */
export const REMEMBERED = 600;
const SECOND = 1000;

/** One second of a node. Times in seconds; null where there was no request to tell it by. */
interface Figures {
  readonly requests: number;
  readonly p50: number | null;
  readonly p99: number | null;
  /** Of requests for which a cache was asked, the share that it answered. */
  readonly hitShare: number | null;
  readonly errors: number;
  readonly refused: number;
}

/** The last seconds of a node, the oldest first: at most `REMEMBERED`, fewer where it is younger. */
export interface SeriesView extends Readonly<Record<'requests' | 'errors' | 'refused', readonly number[]>> {
  readonly step: 1;
  /** When the last of these seconds ended. */
  readonly until: string;
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly hitShare: readonly (number | null)[];
}

/** The second that is just over, with what moved in it. */
export interface Sample extends Figures {
  readonly at: string;
  readonly routes: Readonly<Record<string, RouteSample>>;
  readonly edges: readonly { route: string; service: string; requests: number; errors: number }[];
  readonly listeners: readonly { listener: string; route: string; requests: number }[];
}

export interface RouteSample {
  readonly requests: number;
  readonly hits: number;
  readonly refused: number;
  readonly errors: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What a node does from second to second: the sum of what its workers tell. */
export class Series {
  private readonly clock: Clock;
  private readonly kept: Figures[] = [];
  private readonly listeners = new Set<(sample: Sample) => void>();
  private moves = noMoves();
  /** When the current second began, by `clock.now()`; when the last one ended, by `clock.wall()`. */
  private since: number;
  private until: number;
  private timer: Timer;

  constructor(clock: Clock) {
    this.clock = clock;
    this.since = clock.now();
    this.until = clock.wall();
    this.timer = clock.after(SECOND, () => this.tick());
  }

  /** What a worker has seen since it told last. It counts for the second in which it comes. */
  add(moves: Moves): void {
    addMoves(this.moves, moves);
  }

  /** Called with each second that is over. Gives what ends it. */
  onSample(listener: (sample: Sample) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  view(): SeriesView {
    const column = <K extends keyof Figures>(name: K): Figures[K][] => this.kept.map((one) => one[name]);
    return {
      step: 1,
      until: new Date(this.until).toISOString(),
      requests: column('requests'),
      p50: column('p50'),
      p99: column('p99'),
      hitShare: column('hitShare'),
      errors: column('errors'),
      refused: column('refused'),
    };
  }

  stop(): void {
    this.clock.cancel(this.timer);
  }

  /** A process that was held up has missed seconds: they are there, and empty. */
  private tick(): void {
    const over = Math.floor((this.clock.now() - this.since) / SECOND);
    const moves = this.moves;
    if (over > 0) {
      this.moves = noMoves();
      this.since += over * SECOND;
      this.until = this.clock.wall() - (this.clock.now() - this.since);
      for (let missed = Math.min(over, REMEMBERED) - 1; missed > 0; missed--) this.keep(figuresOf(noMoves()));
      const figures = figuresOf(moves);
      this.keep(figures);
      if (this.listeners.size > 0) this.publish(figures, moves);
    }
    // Timers may come a little early as well as late: the next second ends when it ends.
    this.timer = this.clock.after(this.since + SECOND - this.clock.now(), () => this.tick());
  }

  private keep(figures: Figures): void {
    this.kept.push(figures);
    if (this.kept.length > REMEMBERED) this.kept.shift();
  }

  private publish(figures: Figures, moves: Moves): void {
    const routes: Record<string, RouteSample> = Object.create(null);
    for (const [name, { durations, cached: _, ...counts }] of moves.routes)
      routes[name] = { ...counts, ...timesOf(durations) };
    const sample: Sample = {
      at: new Date(this.until).toISOString(),
      ...figures,
      routes,
      edges: allOf(moves.edges),
      listeners: allOf(moves.listeners),
    };
    for (const listener of this.listeners) listener(sample);
  }
}

function figuresOf(moves: Moves): Figures {
  const all: RouteMoves = routeMoves(noMoves(), '');
  for (const route of moves.routes.values()) addRoute(all, route);
  const { requests, cached, hits, errors, refused, durations } = all;
  return { requests, ...timesOf(durations), hitShare: cached === 0 ? null : hits / cached, errors, refused };
}

function timesOf(durations: Float64Array): { p50: number | null; p99: number | null } {
  return { p50: quantileOf(durations, 0, 0.5), p99: quantileOf(durations, 0, 0.99) };
}
