import type { CacheConfig } from '../config/model.ts';
import type { LinkParts } from '../redis/index.ts';
import type { SourceMemory } from './contract.ts';

export interface OpenMemory extends SourceMemory {
  close(): Promise<void>;
}

/**
 * In Redis, where nodes share a cache that outlives each of them. Without it the cache ends with the process, and
 * what was known of sources may end with it.
 */
export async function openMemory(
  { redis, prefix }: Pick<CacheConfig, 'redis' | 'prefix'>,
  parts: LinkParts,
): Promise<OpenMemory> {
  if (redis === null) return ofProcess();
  const { connectRedis } = await import('../redis/index.ts');
  const link = connectRedis(redis, parts);
  const keyOf = (key: string) => `${prefix}:changes:${key}`;
  return {
    async read(key) {
      const value = await link.send('GET', keyOf(key));
      return value === null ? null : String(value);
    },
    async write(key, value) {
      await link.send('SET', keyOf(key), value);
    },
    close: () => link.close(),
  };
}

function ofProcess(): OpenMemory {
  const values = new Map<string, string>();
  return {
    read: async (key) => values.get(key) ?? null,
    write: async (key, value) => void values.set(key, value),
    close: async () => {},
  };
}
