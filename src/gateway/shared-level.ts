import { type Cache, openSharedStore, placeOf, type SharedSecret } from '../cache/index.ts';
import type { CacheConfig } from '../config/model.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';

export interface SharedLevelParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly news: Logger;
}

/** Opens the level of the cache that nodes share, and takes the secret from there that they share. */
export class SharedLevel {
  private readonly cache: Cache;
  private readonly secret: SharedSecret;
  private readonly parts: SharedLevelParts;
  private place = '';
  private ended = false;
  private secretAsked: Promise<void> = Promise.resolve();

  constructor(cache: Cache, secret: SharedSecret, parts: SharedLevelParts) {
    this.cache = cache;
    this.secret = secret;
    this.parts = parts;
  }

  /** Where the config names one; another than before takes its place. */
  async follow(config: CacheConfig): Promise<void> {
    const place = placeOf(config);
    if (place === this.place) return;
    this.place = place;
    const { cache } = this;
    const old = cache.shared;
    cache.shared = null;
    await old?.close();
    const shared = await openSharedStore(config, () => cache.fences.sequence, this.parts);
    if (this.ended || place !== this.place) return void (await shared?.close());
    cache.shared = shared;
    this.secretAsked = this.secret.follow(shared);
  }

  /** The secret was asked for. */
  ready(): Promise<void> {
    return this.secretAsked;
  }

  /** None is opened any more; the one that is open ends with the cache. */
  stop(): void {
    this.ended = true;
  }
}
