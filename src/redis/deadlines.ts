import type { Clock, Timer } from '../util/clock.ts';

/** One that waits. */
export interface Waiting {
  /** Of `clock.now()`. */
  readonly since: number;
  readonly settled: boolean;
  expire(): void;
}

/**
 * Deadlines of many calls that may all last equally long: they fall due in the order they began, so one timer
 * serves them all, and a call that ends in time costs no timer.
 */
export class Deadlines {
  private readonly clock: Clock;
  private readonly ms: number;
  private queue: Waiting[] = [];
  private head = 0;
  private timer: Timer | null = null;

  constructor(clock: Clock, ms: number) {
    this.clock = clock;
    this.ms = ms;
  }

  add(call: Waiting): void {
    this.queue.push(call);
    if (this.timer === null) this.arm(call.since);
    else if (this.head > 1024 || this.queue.length > 1024) this.forgetSettled();
  }

  /** The owner ends: whatever still waits has expired. */
  close(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    const left = this.queue.slice(this.head);
    this.queue = [];
    this.head = 0;
    for (const call of left) if (!call.settled) call.expire();
  }

  private arm(since: number): void {
    this.timer = this.clock.after(since + this.ms - this.clock.now(), () => this.fire());
  }

  private fire(): void {
    this.timer = null;
    const begunBefore = this.clock.now() - this.ms;
    for (; this.head < this.queue.length; this.head++) {
      const call = this.queue[this.head]!;
      if (call.settled) continue;
      if (call.since > begunBefore) return this.arm(call.since);
      call.expire();
    }
    this.queue = [];
    this.head = 0;
  }

  private forgetSettled(): void {
    while (this.head < this.queue.length && this.queue[this.head]!.settled) this.head++;
    if (this.head < 1024) return;
    this.queue = this.queue.slice(this.head);
    this.head = 0;
  }
}
