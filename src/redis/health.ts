import type { Logger } from '../telemetry/index.ts';
import type { Clock, Timer } from '../util/clock.ts';

/** After a line in the log, the next one comes this much later at the earliest; milliseconds. */
const QUIET = 10_000;

/** Is Redis there? Tells the log once for each change, however many calls find out. */
export class Health {
  connected = false;
  /** Why it is away. */
  reason = 'not connected yet';
  /** Since when it is so: wall clock, ms. */
  since: number;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly listeners = new Set<(connected: boolean) => void>();
  /** What the log was told last; a server that is there from the start isn't worth a line. */
  private said = true;
  private quietUntil = Number.NEGATIVE_INFINITY;
  private later: Timer | null = null;
  private changes = 0;

  constructor(clock: Clock, log: Logger) {
    this.clock = clock;
    this.log = log;
    this.since = clock.wall();
  }

  onChange(listener: (connected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  back(): void {
    if (this.connected) return;
    this.connected = true;
    this.change();
  }

  away(reason: string): void {
    const first = !this.connected && this.reason === 'not connected yet';
    this.reason = reason;
    if (!this.connected && !first) return;
    this.connected = false;
    this.change();
  }

  close(): void {
    if (this.later !== null) this.clock.cancel(this.later);
    this.later = null;
    this.connected = false;
    this.reason = 'closed';
    this.listeners.clear();
  }

  private change(): void {
    this.since = this.clock.wall();
    this.tell();
    for (const listener of [...this.listeners]) listener(this.connected);
  }

  /** A connection that comes and goes fills no log. */
  private tell(): void {
    const wait = this.quietUntil - this.clock.now();
    if (wait > 0) {
      this.changes++;
      this.later ??= this.clock.after(wait, () => {
        this.later = null;
        this.tell();
      });
      return;
    }
    if (this.said === this.connected) return;
    this.said = this.connected;
    this.quietUntil = this.clock.now() + QUIET;
    const more = this.changes > 0 ? { changes: this.changes } : {};
    this.changes = 0;
    if (this.connected) this.log.info('Redis is back', more);
    else this.log.warn('Redis is away; going on without it', { reason: this.reason, ...more });
  }
}
