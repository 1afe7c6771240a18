import { cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import { type Completion, type Exchange, endStatus, type Reply } from '../../http/exchange.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { UNMATCHED } from '../counters.ts';
import { addTime } from '../metrics/route-detail.ts';
import {
  edgeMoves,
  type ListenerMoves,
  listenerMoves,
  type Moves,
  noMoves,
  type RouteMoves,
  routeMoves,
} from './moves.ts';

/** Answers of the cache that no service was waited for. */
const HITS: ReadonlySet<string> = new Set(['hit', 'stale', 'collapsed']);
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 429]);
const SECOND = 1000;

/** Counts what moves in one worker, and tells it once a second; a quiet worker tells nothing. */
export class SeriesTap implements Completion {
  private readonly clock: Clock;
  private readonly tell: (moves: Moves) => void;
  private moves = noMoves();
  /** Where the last request was counted: the next one is often of the same route, and is spared the search. */
  private last: {
    readonly route: RouteMoves;
    readonly listener: ListenerMoves;
    readonly name: string;
  } | null = null;
  private timer: Timer;

  constructor(clock: Clock, tell: (moves: Moves) => void) {
    this.clock = clock;
    this.tell = tell;
    this.timer = clock.after(SECOND, () => this.tick());
  }

  completed(exchange: Exchange, answer: Reply | null, _bytes: number, failure: Failure | null): void {
    const { moves } = this;
    const name = exchange.route?.name ?? UNMATCHED;
    const status = endStatus(answer, failure);
    const { route, listener } = this.placeOf(name, exchange.origin.listener);
    route.requests++;
    listener.requests++;
    addTime(route.durations, 0, (exchange.endedAt - exchange.startedAt) / 1000);
    const outcome = cacheOutcome(exchange.cache);
    if (outcome !== null) {
      route.cached++;
      if (HITS.has(outcome)) route.hits++;
    }
    if (status >= 500) route.errors++;
    const own = answer?.failure ?? exchange.replaced;
    if (own !== null && REFUSALS.has(own.entry.status)) route.refused++;
    // Who was answered by the fill of another has asked no service.
    if (exchange.served === null || outcome === 'collapsed') return;
    const edge = edgeMoves(moves, name, exchange.served.service);
    edge.requests++;
    if (status >= 500) edge.errors++;
  }

  private placeOf(name: string, listener: string): NonNullable<SeriesTap['last']> {
    const { moves, last } = this;
    if (last !== null && last.name === name && last.listener.listener === listener) return last;
    this.last = { name, route: routeMoves(moves, name), listener: listenerMoves(moves, listener, name) };
    return this.last;
  }

  /** Tells what is left. */
  stop(): void {
    this.clock.cancel(this.timer);
    this.flush();
  }

  private tick(): void {
    this.flush();
    this.timer = this.clock.after(SECOND, () => this.tick());
  }

  private flush(): void {
    const { moves } = this;
    if (moves.routes.size === 0) return;
    this.moves = noMoves();
    this.last = null;
    this.tell(moves);
  }
}
