import type { RedisConfig } from '../cache-model.ts';
import type { ChangeFeedConfig } from '../model.ts';
import { parseRedisUrl } from '../schema/redis.ts';
import type { ChangeSourceInput } from '../schema/types.ts';
import { listOf, record, sizeOf } from './scalars.ts';

const MAX_BODY = 10 * 1024 * 1024;

/** How a source other than PostgreSQL is read. */
export function feedOf(source: ChangeSourceInput): ChangeFeedConfig {
  const { mysql, kafka, redis, nats, http } = source;
  if (mysql !== undefined) return { kind: 'mysql', url: mysql.url, serverId: Number(mysql.serverId) };
  if (redis !== undefined) {
    const { url, streams, group = 'tidegate' } = redis;
    return { kind: 'redis', redis: redisOf(url), streams, group };
  }
  if (nats !== undefined) {
    const { url, stream = 'DebeziumStream', durable = 'tidegate' } = nats;
    return { kind: 'nats', url, stream, durable, identity: identityOf(nats.identity) };
  }
  if (http !== undefined) {
    const { token, maxBody, identity } = http;
    return { kind: 'http', token, maxBody: sizeOf(maxBody, MAX_BODY), identity: identityOf(identity) };
  }
  if (kafka === undefined) throw new Error('a source without a reader has been refused before');
  const { brokers, topics, group = 'tidegate', tls = false, sasl } = kafka;
  return { kind: 'kafka', brokers, topics, group, tls: String(tls) === 'true', sasl: sasl ?? null };
}

function redisOf(url: string): RedisConfig {
  const { tls, ...endpoint } = parseRedisUrl(url);
  const verified = { ca: null, cert: null, key: null, serverName: null, verify: true };
  const config = { kind: 'single' as const, endpoints: [endpoint], name: null, commandTimeout: 1000 };
  return { ...config, tls: tls ? verified : null, encryptionKey: null };
}

function identityOf(identity: Record<string, string | string[]> | undefined): Record<string, string[]> {
  return record(Object.entries(identity ?? {}).map(([table, columns]) => [table, listOf(columns)]));
}
