import type { RedisLink } from '../../redis/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { FUNCTIONS } from './functions.ts';
import type { Keyspace } from './keys.ts';

/** Keys claimed or waited for at once in one process. */
const MOST = 10_000;

export interface ClaimsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: Keyspace;
}

/**
 * Who fills which key: leases in Redis. Only the holder gives one back, and who waits for it hears of that by a
 * message; the lease of a filler that died ends by itself.
 */
export class Claims {
  private readonly link: RedisLink;
  private readonly parts: ClaimsParts;
  private readonly mine = new Map<string, string>();
  private readonly waiters = new Map<string, Set<Waiter>>();
  private readonly stop: () => void;

  constructor(link: RedisLink, parts: ClaimsParts) {
    this.link = link;
    this.parts = parts;
    link.onMessage((channel) => this.wake(channel));
    // Subscriptions are lost with the connection.
    this.stop = link.onChange((connected) => {
      if (!connected) this.wakeAll();
    });
  }

  async claim(digest: string, ms: number): Promise<'mine' | 'theirs' | 'away'> {
    if (!this.link.connected || this.mine.size >= MOST) return 'away';
    const name = this.nameOf(digest);
    const token = this.parts.random.hex(12);
    try {
      const reply = await this.link.send('set', name, token, 'NX', 'PX', Math.ceil(ms));
      if (reply === null) return 'theirs';
      this.mine.set(name, token);
      return 'mine';
    } catch {
      return 'away';
    }
  }

  release(digest: string): void {
    const name = this.nameOf(digest);
    const token = this.mine.get(name);
    if (token === undefined) return;
    this.mine.delete(name);
    this.link.call(FUNCTIONS, 'release', [name], [token]).catch(() => {
      // Then it ends by itself.
    });
  }

  async settled(digest: string, ms: number): Promise<void> {
    if (!this.link.connected || this.waiters.size >= MOST) return;
    const name = this.nameOf(digest);
    const waiter = new Waiter(this.parts.clock, ms);
    this.add(name, waiter);
    try {
      // Listens first and looks then, so that nothing falls between.
      await this.link.send('subscribe', name);
      waiter.within(Number(await this.link.send('pttl', name)));
      await waiter.done;
    } catch {
      // Nobody can tell.
    } finally {
      waiter.end();
      this.remove(name, waiter);
    }
  }

  close(): void {
    this.stop();
    this.wakeAll();
  }

  private nameOf(digest: string): string {
    return this.parts.keys.groupOf(digest).claims + digest;
  }

  private add(name: string, waiter: Waiter): void {
    const standing = this.waiters.get(name);
    if (standing === undefined) this.waiters.set(name, new Set([waiter]));
    else standing.add(waiter);
  }

  private remove(name: string, waiter: Waiter): void {
    const waiters = this.waiters.get(name);
    waiters?.delete(waiter);
    if (waiters?.size !== 0) return;
    this.waiters.delete(name);
    this.link.send('unsubscribe', name).catch(() => {});
  }

  private wake(name: string): void {
    for (const waiter of this.waiters.get(name) ?? []) waiter.end();
  }

  private wakeAll(): void {
    for (const name of [...this.waiters.keys()]) this.wake(name);
  }
}

/** One who waits for a lease to end, and no longer than its deadline. */
class Waiter {
  readonly done: Promise<void>;
  private readonly clock: Clock;
  private readonly deadline: number;
  private timer: Timer;
  private resolve: () => void = () => {};

  constructor(clock: Clock, ms: number) {
    this.clock = clock;
    this.deadline = clock.now() + ms;
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = clock.after(ms, this.resolve);
  }

  /** The lease has this long to go; 0 or less: it is gone. */
  within(left: number): void {
    const now = this.clock.now();
    if (now + left >= this.deadline) return;
    this.clock.cancel(this.timer);
    this.timer = this.clock.after(left > 0 ? left + 1 : 0, this.resolve);
  }

  end(): void {
    this.clock.cancel(this.timer);
    this.resolve();
  }
}
