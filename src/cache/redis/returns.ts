import type { RedisLink } from '../../redis/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { FUNCTIONS } from './functions.ts';

/** How often those that could not be given back are tried again, in ms. */
const AGAIN = 200;
/** Of those that are still to be given back. */
const MOST = 10_000;

/**
 * Leases on their way back to Redis. One that could not be given back, or of which nobody can tell whether it was ever
 * taken, is tried again until Redis has heard of it: else others would wait for a fill that has long ended.
 */
export class Returns {
  private readonly link: RedisLink;
  private readonly clock: Clock;
  /** Names by token. */
  private readonly owed = new Map<string, string>();
  private timer: Timer | null = null;
  private closed = false;

  constructor(link: RedisLink, clock: Clock) {
    this.link = link;
    this.clock = clock;
  }

  giveBack(name: string, token: string): void {
    if (this.owed.size >= MOST) return;
    this.owed.set(token, name);
    this.send(name, token);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.owed.clear();
  }

  private send(name: string, token: string): void {
    this.link.call(FUNCTIONS, 'release', [name], [token]).then(
      () => this.owed.delete(token),
      () => this.later(),
    );
  }

  private later(): void {
    if (this.closed) return;
    this.timer ??= this.clock.after(AGAIN, () => {
      this.timer = null;
      if (!this.link.connected) return this.later();
      for (const [token, name] of this.owed) this.send(name, token);
    });
  }
}
