import type { Clock, Timer } from './clock.ts';

/**
 * One timer that is pushed on far more often than it fires: a connection moves its deadline at every
 * request, and only a deadline that comes nearer touches the timer at all. A timer that fires early
 * looks at the deadline and goes back to sleep.
 */
export class Deadline {
  private readonly clock: Clock;
  private readonly expired: () => void;
  private timer: Timer | null = null;
  private armedFor = Number.POSITIVE_INFINITY;
  private at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, expired: () => void) {
    this.clock = clock;
    this.expired = expired;
  }

  /** Moves the deadline to `at` (of `clock.now()`); `Infinity` for none. */
  set(at: number): void {
    this.at = at;
    if (at < this.armedFor) this.arm();
  }

  clear(): void {
    this.at = Number.POSITIVE_INFINITY;
  }

  /** The owner ends: nothing fires any more. */
  close(): void {
    this.at = Number.POSITIVE_INFINITY;
    this.armedFor = Number.POSITIVE_INFINITY;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }

  private arm(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.armedFor = this.at;
    this.timer = this.clock.after(this.at - this.clock.now(), () => this.fire());
  }

  private fire(): void {
    this.timer = null;
    this.armedFor = Number.POSITIVE_INFINITY;
    if (this.at === Number.POSITIVE_INFINITY) return;
    if (this.at > this.clock.now()) return this.arm();
    this.at = Number.POSITIVE_INFINITY;
    this.expired();
  }
}
