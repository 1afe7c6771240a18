import { type CacheOutcome, cacheOutcome } from '../../http/cache-outcome.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
import type { RouteCounter } from '../counters.ts';
import type { TimedPhase } from './route-detail.ts';

const HITS: ReadonlySet<CacheOutcome | null> = new Set(['hit', 'stale', 'collapsed']);

/** Times what a request waits for, at its route's counter: an observer of the pipeline's phases. */
export class PhaseTimes {
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Phases of one exchange follow each other, so one time stands for whichever is under way. */
  began(exchange: Exchange, phase: string): void {
    if (phase === 'authenticate' || phase === 'authorize' || phase === 'dispatch')
      exchange.phaseBegan = this.clock.now();
  }

  ended(exchange: Exchange, phase: string): void {
    const { phaseBegan, route } = exchange;
    // What is answered before dispatch ends a dispatch that never began.
    if (phaseBegan < 0 || route === null) return;
    exchange.phaseBegan = -1;
    const timed = phase === 'dispatch' ? answeredBy(exchange) : 'auth';
    if (timed === null) return;
    (route as unknown as { readonly counter: RouteCounter }).counter.timed(
      timed,
      this.clock.now() - phaseBegan,
    );
  }
}

/** Null: what the config says was the answer. */
function answeredBy(exchange: Exchange): TimedPhase | null {
  const outcome = cacheOutcome(exchange.cache);
  if (HITS.has(outcome)) return 'cache';
  return outcome === null && exchange.served === null ? null : 'upstream';
}
