import type { Clock } from '../util/clock.ts';
import type { LeaseView } from './contract.ts';

/** Milliseconds a renewal is good for, and how often it is asked for. */
export const LEASE = 1000;
export const RENEW_EVERY = 250;

/**
 * A worker's side. Counted from the moment it *asked*, so it never lasts longer here than the supervisor
 * believes; read on a clock that is read fresh, so that a process that was stopped finds it gone.
 */
export class Lease implements LeaseView {
  private readonly clock: Clock;
  private until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  holds(): boolean {
    return this.clock.now() < this.until;
  }

  renewed(askedAt: number): void {
    this.until = Math.max(this.until, askedAt + LEASE);
  }
}

/** The supervisor's side, for one worker. */
export class GrantedLease {
  private readonly clock: Clock;
  private grantedAt = Number.NEGATIVE_INFINITY;
  private withheld = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** False while something that the worker must hear first is not acknowledged. */
  grant(): boolean {
    if (this.withheld > 0) return false;
    this.grantedAt = this.clock.now();
    return true;
  }

  withhold(): void {
    this.withheld++;
  }

  restore(): void {
    this.withheld--;
  }

  /** Milliseconds until the worker is sure to know that it has none; 0 if it has none now. */
  left(): number {
    return Math.max(0, this.grantedAt + LEASE - this.clock.now());
  }
}
