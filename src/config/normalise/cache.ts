import type { CacheConfig, RedisConfig } from '../model.ts';
import { parseEncryptionKey, parseRedisUrl } from '../schema/redis.ts';
import type { CacheInput, RedisInput } from '../schema/types.ts';
import type { ReadPem } from './listener.ts';
import { durationOf, sizeOf } from './scalars.ts';
import { upstreamTlsOf } from './service.ts';

const MEMORY = 64 * 1024 * 1024;

/** What the caches of all routes share. */
export function cacheOf(input: CacheInput | undefined, readPem: ReadPem): CacheConfig {
  const { memory, redis, prefix, maxUnsynced } = input ?? {};
  return {
    memory: memory === 0 || memory === '0' ? 0 : sizeOf(memory, MEMORY),
    redis: redis === undefined || redis === 'none' ? null : redisOf(redis, readPem),
    prefix: prefix ?? 'tidegate',
    maxUnsynced: maxUnsynced === 'off' ? Number.POSITIVE_INFINITY : durationOf(maxUnsynced, 1000),
  };
}

function redisOf(said: RedisInput, readPem: ReadPem): RedisConfig {
  const input = typeof said === 'string' ? { url: said } : said;
  const urls = endpointsOf(input).urls.map(parseRedisUrl);
  const { tls } = input;
  const encrypted = typeof tls === 'object' || String(tls ?? urls.some((url) => url.tls)) === 'true';
  return {
    kind: endpointsOf(input).kind,
    endpoints: urls.map(({ tls: _, ...endpoint }) => endpoint),
    name: input.name ?? null,
    commandTimeout: durationOf(input.commandTimeout, 100),
    tls: encrypted ? upstreamTlsOf(typeof tls === 'object' ? tls : {}, readPem) : null,
    encryptionKey:
      input.encrypt === undefined ? null : parseEncryptionKey(input.encrypt.key)!.toString('hex'),
  };
}

function endpointsOf(input: Extract<RedisInput, object>): { kind: RedisConfig['kind']; urls: string[] } {
  if (input.sentinels !== undefined) return { kind: 'sentinels', urls: input.sentinels };
  if (input.cluster !== undefined) return { kind: 'cluster', urls: input.cluster };
  return { kind: 'single', urls: [input.url!] };
}
