import type { CacheConfig } from '../config/model.ts';
import type { LinkParts } from '../redis/index.ts';
import { type FenceHolders, LocalSequence, type SequenceLog } from './sequence/index.ts';
import type { SharedStore } from './shared-store.ts';

/** How long an invalidation waits for the log to bring it back, in ms. */
const LOG_PATIENCE = 1_000;

/** The level that nodes share; null where the config names none. Its library is loaded only then. */
export async function openSharedStore(
  config: CacheConfig,
  newest: () => number,
  parts: LinkParts,
): Promise<SharedStore | null> {
  const { redis } = config;
  if (redis === null) return null;
  const { RedisStore, keyspaceFor, sealFor } = await import('./redis/index.ts');
  const { connectRedis } = await import('../redis/index.ts');
  const keys = keyspaceFor(config.prefix, redis.kind);
  const seal = sealFor(redis.encryptionKey);
  return new RedisStore(connectRedis(redis, parts), {
    ...parts,
    newest,
    keys,
    seal,
    timeout: redis.commandTimeout,
  });
}

/** The sequence of a node: one that nodes share, or its own. */
export async function openSequence(
  config: CacheConfig,
  holders: FenceHolders,
  parts: LinkParts,
): Promise<SequenceLog> {
  const { redis } = config;
  if (redis === null) return new LocalSequence(holders);
  const { RedisSequence, keyspaceFor } = await import('./redis/index.ts');
  const { connectRedis } = await import('../redis/index.ts');
  const keys = keyspaceFor(config.prefix, redis.kind);
  return new RedisSequence(connectRedis(redis, parts), { ...parts, keys, holders, timeout: LOG_PATIENCE });
}

/** Where a cache and its log stand: with another place everything begins anew. */
export function placeOf({ redis, prefix }: CacheConfig): string {
  return JSON.stringify([redis, prefix]);
}
