import { crashOf, Failure } from '../../http/errors.ts';
import type { FlightRoute } from './flight-route.ts';
import type { Waiter } from './waiter.ts';

/** Those who wait for one flight, each no longer than its own time allows, whenever the fill began. */
export class Waiting<T> {
  private readonly route: FlightRoute<T>;
  private readonly refuse: (waiter: Waiter<T>, failure: Failure) => void;
  private waiters: Waiter<T>[];
  /** They want an answer newer than this flight's. */
  private later: Waiter<T>[] = [];

  /** @param refuse Tells one that what it waited for came to nothing. */
  constructor(
    route: FlightRoute<T>,
    leader: Waiter<T>,
    refuse: (waiter: Waiter<T>, failure: Failure) => void,
  ) {
    this.route = route;
    this.refuse = refuse;
    this.waiters = [leader];
  }

  add(waiter: Waiter<T>): void {
    this.waiters.push(waiter);
    this.limit(waiter);
  }

  addLater(waiter: Waiter<T>): void {
    this.later.push(waiter);
    this.limit(waiter);
  }

  limit(waiter: Waiter<T>): void {
    const { clock } = this.route.cache.parts;
    const left = waiter.exchange.dispatchedAt + this.route.rules.patience - clock.now();
    waiter.limit(left, () => {
      if (waiter.settle()) this.refuse(waiter, new Failure('TG_UPSTREAM_TIMEOUT', 'the fill it waited for'));
    });
  }

  /** All who wait, wait no more: each gets what `step` gives. */
  each(step: (waiter: Waiter<T>) => void): void {
    this.some(() => true, step);
  }

  /** Those of whom `which` is true wait no more: each gets what `step` gives. */
  some(which: (waiter: Waiter<T>) => boolean, step: (waiter: Waiter<T>) => void): void {
    const { waiters } = this;
    this.waiters = waiters.filter((waiter) => !waiter.gone && !which(waiter));
    for (const waiter of waiters) if (which(waiter)) this.one(waiter, () => step(waiter));
  }

  renewLater(): void {
    const { later } = this;
    this.later = [];
    if (later.length > 0) this.route.renew(later);
  }

  /** Whatever goes wrong for one is no matter of the others. */
  private one(waiter: Waiter<T>, step: () => void): void {
    if (!waiter.settle()) return;
    try {
      step();
    } catch (error) {
      if (!waiter.exchange.answered) this.refuse(waiter, crashOf(error));
    }
  }
}
