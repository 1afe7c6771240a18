import type { CacheConfig } from '../../config/model.ts';
import { silentLogger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { SharedWrites } from './shared-writes.ts';

/** In the Redis that nodes share; null where they share none. That it is away is said by others. */
export async function openSharedWrites(
  { redis, prefix }: Pick<CacheConfig, 'redis' | 'prefix'>,
  { clock, random }: { clock: Clock; random: Random },
): Promise<SharedWrites | null> {
  if (redis === null) return null;
  const { connectRedis } = await import('../../redis/index.ts');
  const { SharedWrites } = await import('./shared-writes.ts');
  return new SharedWrites(connectRedis(redis, { clock, random, log: silentLogger }), prefix, clock);
}
