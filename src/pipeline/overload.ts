import { Failure } from '../http/errors.ts';
import type { Clock, Timer } from '../util/clock.ts';

/** How often it is looked how late the event loop is, in ms. */
const LOOK_EVERY = 20;
/** Routes with priority are shed only from so many times the delay on. */
const LAST = 2;
/** Seconds that a client is told to wait. */
const RETRY_AFTER = 1;

/** Sheds requests while the event loop is late: what is under way ends in time, and what is new is told to come again. */
export class Overload {
  private readonly clock: Clock;
  private readonly maxDelay: number;
  private due: number;
  private late = 0;
  private timer: Timer | null = null;

  /** @param maxDelay Milliseconds. */
  constructor(maxDelay: number, clock: Clock) {
    this.maxDelay = maxDelay;
    this.clock = clock;
    this.due = clock.now();
  }

  start(): void {
    this.due = this.clock.now() + LOOK_EVERY;
    this.timer = this.clock.after(LOOK_EVERY, () => this.look());
  }

  stop(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }

  /** Why a request of this priority is not taken now; null: it is. */
  refusal(priority: number): Failure | null {
    // A look that is overdue tells as much as one that was late.
    const late = Math.max(this.late, this.clock.now() - this.due);
    if (late <= this.maxDelay * (priority > 0 ? LAST : 1)) return null;
    return new Failure('TG_OVERLOADED', `the event loop is ${Math.round(late)} ms late`, RETRY_AFTER);
  }

  private look(): void {
    this.late = this.clock.now() - this.due;
    this.start();
  }
}
