import type { Clock, Timer } from '../util/clock.ts';

/**
 * A start waits no longer for what it can do without, ms. What a source feeds is not answered from the cache before
 * that is followed, so its absence is safe; and a database that is away must not keep every node out at once.
 */
const PATIENCE = 10_000;
const LOOK_EVERY = 100;

/** Whether requests are welcome at this node, and why not. Workers hear of each change. */
export class Readiness {
  private reason: string | null = 'the gateway is starting';
  private readonly clock: Clock;
  private readonly tell: (why: string | null) => void;
  private timer: Timer | null = null;

  constructor(clock: Clock, tell: (why: string | null) => void) {
    this.clock = clock;
    this.tell = tell;
  }

  /** Null: they are welcome. */
  get why(): string | null {
    return this.reason;
  }

  /** They are welcome once `missing` names nothing any more, or for long enough. */
  welcomeOnce(missing: () => string | null): void {
    const until = this.clock.now() + PATIENCE;
    const look = () => {
      this.stop();
      const why = this.clock.now() < until ? missing() : null;
      this.say(why);
      if (why !== null) this.timer = this.clock.after(LOOK_EVERY, look);
    };
    look();
  }

  set(why: string | null): void {
    this.stop();
    this.say(why);
  }

  stop(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }

  private say(why: string | null): void {
    if (why === this.reason) return;
    this.reason = why;
    this.tell(why);
  }
}
