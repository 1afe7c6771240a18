import type { RedisLink } from '../../redis/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import { FUNCTIONS } from './functions.ts';
import type { Keyspace } from './keys.ts';
import { Returns } from './returns.ts';

/** Keys claimed or waited for at once in one process. */
const MOST = 10_000;
/** How often a lease is renewed while it runs: one late renewal loses nothing. */
const RENEWALS = 3;
/** Longest that is waited on the word of a lease alone: what tells of its end may be lost. In ms. */
const LOOK_AGAIN = 500;

export interface ClaimsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: Keyspace;
}

/**
 * Who fills which key: leases in Redis. The holder renews its own until it gives it back, and who waits for that
 * hears of it by a message; the lease of a filler that died ends by itself.
 */
export class Claims {
  private readonly link: RedisLink;
  private readonly parts: ClaimsParts;
  private readonly mine = new Map<string, Lease>();
  private readonly returns: Returns;
  private readonly waiters = new Map<string, Set<Waiter>>();
  private readonly stop: () => void;

  constructor(link: RedisLink, parts: ClaimsParts) {
    this.link = link;
    this.parts = parts;
    this.returns = new Returns(link, parts.clock);
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
      this.hold(name, token, Math.ceil(ms));
      return 'mine';
    } catch {
      // Redis may take it all the same, and later.
      this.returns.giveBack(name, token);
      return 'away';
    }
  }

  release(digest: string): void {
    const name = this.nameOf(digest);
    const lease = this.mine.get(name);
    if (lease === undefined) return;
    this.drop(name, lease);
    this.returns.giveBack(name, lease.token);
  }

  private hold(name: string, token: string, ms: number): void {
    const lease: Lease = { token, timer: null };
    this.mine.set(name, lease);
    this.renewLater(name, lease, ms);
  }

  private renewLater(name: string, lease: Lease, ms: number): void {
    lease.timer = this.parts.clock.after(ms / RENEWALS, () => void this.renew(name, lease, ms));
  }

  private async renew(name: string, lease: Lease, ms: number): Promise<void> {
    const kept = await this.link.call(FUNCTIONS, 'renew', [name], [lease.token, ms]).then(
      (reply) => reply === 1,
      // Nobody can tell: it is tried again, for as long as the fill lasts.
      () => true,
    );
    if (this.mine.get(name) !== lease) return;
    if (kept) this.renewLater(name, lease, ms);
    else this.drop(name, lease);
  }

  private drop(name: string, lease: Lease): void {
    if (lease.timer !== null) this.parts.clock.cancel(lease.timer);
    this.mine.delete(name);
  }

  async settled(digest: string, ms: number): Promise<void> {
    if (!this.link.connected || this.waiters.size >= MOST) return;
    const name = this.nameOf(digest);
    const waiter = new Waiter(this.parts.clock, ms);
    this.add(name, waiter);
    try {
      // Listens first and looks then, so that nothing falls between.
      await this.link.send('subscribe', name);
      while (!waiter.over) await waiter.pause(Number(await this.link.send('pttl', name)));
    } catch {
      // Nobody can tell.
    } finally {
      waiter.end();
      this.remove(name, waiter);
    }
  }

  close(): void {
    this.stop();
    for (const [name, lease] of this.mine) this.drop(name, lease);
    this.returns.close();
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

interface Lease {
  readonly token: string;
  /** Of the next renewal; null while one is under way. */
  timer: Timer | null;
}

/** One who waits for a lease to end, and no longer than its deadline. */
class Waiter {
  /** The lease has ended, or the deadline. */
  over = false;
  private readonly clock: Clock;
  private readonly deadline: number;
  private timer: Timer | null = null;
  private goOn: () => void = () => {};

  constructor(clock: Clock, ms: number) {
    this.clock = clock;
    this.deadline = clock.now() + ms;
  }

  /** Until it is over, or time to look again at the lease, which has `left` ms to go; 0 or less: it is gone. */
  async pause(left: number): Promise<void> {
    if (left <= 0) this.end();
    if (this.over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.goOn = resolve;
    const remaining = this.deadline - this.clock.now();
    const next = Math.min(left + 1, LOOK_AGAIN);
    const isLast = remaining <= next;
    this.timer = this.clock.after(isLast ? remaining : next, () => (isLast ? this.end() : resolve()));
    await promise;
    this.clock.cancel(this.timer);
  }

  end(): void {
    this.over = true;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.goOn();
  }
}
