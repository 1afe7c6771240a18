import { type Cache, placeOf } from '../cache/index.ts';
import type { CacheConfig } from '../config/model.ts';
import type { Clock } from '../util/clock.ts';
import { type SequenceNews, TOPICS, type WorkerBus } from '../workers/index.ts';

/** How often it is asked how long tagged entries may be answered, and how long that is waited for; ms. */
export const SYNC_EVERY = 200;
const SYNC_PATIENCE = 1_000;

/**
 * Learns from the supervisor where the sequence of the node stands, and how long tagged entries may be answered: its
 * answer comes behind every fence it has sent, so who has it has heard of all of them.
 */
export class SequenceFollower {
  private readonly bus: WorkerBus;
  private readonly cache: Cache;
  private readonly clock: Clock;
  /** Of the config that is followed: answers for another count for nothing. */
  private life = 0;
  private place = '';
  /** Since when it is followed; `clock.now()`. */
  private since = 0;
  private trusts = true;

  constructor(bus: WorkerBus, cache: Cache, clock: Clock) {
    this.bus = bus;
    this.cache = cache;
    this.clock = clock;
  }

  /** From now on by this config. */
  follow(config: CacheConfig): void {
    const place = placeOf(config);
    const shared = config.redis !== null;
    // Until it has heard of the sequence that nodes share it can't know what has changed.
    if (shared && place !== this.place) this.cache.syncedTo(Number.NEGATIVE_INFINITY);
    if (place !== this.place) this.since = this.clock.now();
    this.place = place;
    const life = ++this.life;
    const again = async () => {
      const goOn = await this.ask(config, place, life).catch(() => true);
      if (goOn && life === this.life) this.clock.after(SYNC_EVERY, again);
    };
    void again();
  }

  stop(): void {
    this.life++;
  }

  /** Is it to be asked again? */
  private async ask({ redis, maxUnsynced }: CacheConfig, place: string, life: number): Promise<boolean> {
    const { cache } = this;
    const askedAt = this.clock.now();
    const news = (await this.bus.ask(TOPICS.sequence, null, SYNC_PATIENCE)) as SequenceNews;
    if (news.place !== place || life !== this.life) return true;
    const { number, distrust, syncedFor } = news;
    if (distrust && cache.fences.sequence === 0) cache.fences.raiseFloor(number);
    cache.startAt(number);
    const syncedUntil = syncedFor === null ? Number.POSITIVE_INFINITY : askedAt + syncedFor;
    cache.syncedTo(syncedUntil);
    if (!distrust) cache.sharedTo(Number.POSITIVE_INFINITY);
    // At first it is only about to be reached.
    else if (this.trusts) cache.sharedTo(Math.max(syncedUntil, this.since + maxUnsynced));
    this.trusts = !distrust;
    // Without a log that nodes share there is nothing to fall behind of.
    return redis !== null;
  }
}
