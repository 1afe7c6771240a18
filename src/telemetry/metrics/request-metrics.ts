import { cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import { type Completion, type Exchange, endStatus, type Reply } from '../../http/exchange.ts';
import type { RouteCounter } from '../counters.ts';

/** Counts each request that is over by its kinds and times, at its route's counter. */
export class RequestMetrics implements Completion {
  private readonly unmatched: RouteCounter;

  /** @param unmatched Where what no route took is counted. */
  constructor(unmatched: RouteCounter) {
    this.unmatched = unmatched;
  }

  completed(exchange: Exchange, answer: Reply | null, _bytes: number, failure: Failure | null): void {
    const route = exchange.route as { readonly counter: RouteCounter } | null;
    const counter = route === null ? this.unmatched : route.counter;
    const { startedAt, answeredAt, endedAt } = exchange;
    counter.detailed(
      exchange.method,
      endStatus(answer, failure),
      cacheOutcome(exchange.cache),
      endedAt - startedAt,
      answeredAt < 0 ? -1 : answeredAt - startedAt,
    );
  }
}
