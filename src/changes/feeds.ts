import type { ChangeFeedConfig } from '../config/model.ts';
import { Secret } from '../util/secret.ts';
import type { Source, SourceParts } from './contract.ts';
import type { MysqlServer } from './mysql/index.ts';
import type { NatsServer } from './nats/index.ts';

/** The source that a config asks for, of any kind but PostgreSQL. Its client library is loaded with it. */
export async function createFeedSource(config: ChangeFeedConfig, parts: SourceParts): Promise<Source> {
  switch (config.kind) {
    case 'http': {
      const { createHttpSource } = await import('./http/index.ts');
      const { token, maxBody, identity } = config;
      return createHttpSource(
        { token: new Secret(token), maxBody, keys: new Map(Object.entries(identity)) },
        parts,
      );
    }
    case 'mysql': {
      const { createMysqlSource } = await import('./mysql/index.ts');
      return createMysqlSource({ server: mysqlServer(config.url), serverId: config.serverId }, parts);
    }
    case 'redis': {
      const { createRedisSource } = await import('./redis/index.ts');
      return createRedisSource(config, parts);
    }
    case 'nats': {
      const { createNatsSource } = await import('./nats/index.ts');
      const { stream, durable, identity } = config;
      return createNatsSource(
        { server: natsServer(config.url), stream, durable, keys: new Map(Object.entries(identity)) },
        parts,
      );
    }
    case 'kafka': {
      const { createKafkaSource } = await import('./kafka/index.ts');
      const { sasl } = config;
      return createKafkaSource(
        { ...config, sasl: sasl && { ...sasl, password: new Secret(sasl.password) } },
        parts,
      );
    }
  }
}

/** `mysql://user:password@host:3306/database`; `?ssl=true` takes any certificate, `?ssl=verify` a valid one. */
export function mysqlServer(text: string): MysqlServer {
  const url = new URL(text);
  const ssl = url.searchParams.get('ssl');
  return {
    host: hostOf(url),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    tls: ssl === null || ssl === 'false' ? null : { rejectUnauthorized: ssl === 'verify' },
  };
}

/** `nats://user:password@host:4222`, `nats://token@host`, `tls://host`. */
export function natsServer(text: string): NatsServer {
  const url = new URL(text);
  const name = url.username === '' ? null : decodeURIComponent(url.username);
  const password = url.password === '' ? null : decodeURIComponent(url.password);
  return {
    servers: [`${url.hostname}:${url.port === '' ? 4222 : url.port}`],
    user: password === null ? null : name,
    password,
    token: password === null ? name : null,
    tls: url.protocol === 'tls:',
  };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
