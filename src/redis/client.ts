import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { Random } from '../util/random.ts';
import type { RedisConfig, RedisTls } from './config.ts';
import { endAtUnaskedReplies } from './unasked.ts';

endAtUnaskedReplies();

/** A server that can be reached answers well within this; milliseconds. */
const CONNECT_TIMEOUT = 500;
/** A connection on which nothing comes for this long is given up. */
const SILENCE = 1000;
const LONGEST_PAUSE = 1000;

export type Client = Redis | Cluster;

/**
 * A client that fails at once where it has no connection, sends nothing twice, and goes on trying to connect.
 * Our own deadlines (`deadlines.ts`) stand above its own.
 */
export function createClient(config: RedisConfig, random: Random): Client {
  const pause = (times: number) => pauseBefore(times, random);
  if (config.kind === 'cluster') return new Cluster(startNodes(config), clusterOptions(config, pause));
  return new Redis({ ...commonOptions(config), retryStrategy: pause, ...placeOptions(config, pause) });
}

/** Milliseconds before the next attempt: up to a second, and never the same for all who lost their connection. */
function pauseBefore(times: number, random: Random): number {
  const most = Math.min(LONGEST_PAUSE, 50 * 2 ** Math.min(times, 10));
  return Math.ceil(most * (0.5 + random.number() / 2));
}

function commonOptions(config: RedisConfig) {
  const [first] = config.endpoints;
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: Math.max(CONNECT_TIMEOUT, 3 * config.commandTimeout),
    socketTimeout: Math.max(SILENCE, 3 * config.commandTimeout),
    connectionName: 'tidegate',
    ...(first?.username == null ? {} : { username: first.username }),
    ...(first?.password == null ? {} : { password: first.password }),
    ...(config.tls === null ? {} : { tls: tlsOptions(config.tls) }),
  } satisfies RedisOptions;
}

function placeOptions(config: RedisConfig, pause: (times: number) => number) {
  const [first] = config.endpoints;
  const db = first?.database ?? 0;
  if (config.kind === 'single') return { host: first!.host, port: first!.port, db };
  return {
    db,
    sentinels: config.endpoints.map(({ host, port }) => ({ host, port })),
    name: config.name!,
    failoverDetector: true,
    sentinelCommandTimeout: SILENCE,
    sentinelRetryStrategy: pause,
    // A replica that was the primary a moment ago: ask the sentinels again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(first?.username == null ? {} : { sentinelUsername: first.username }),
    ...(first?.password == null ? {} : { sentinelPassword: first.password }),
    ...(config.tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(config.tls) }),
  } satisfies RedisOptions;
}

function startNodes(config: RedisConfig): { host: string; port: number }[] {
  return config.endpoints.map(({ host, port }) => ({ host, port }));
}

function clusterOptions(config: RedisConfig, pause: (times: number) => number) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: pause,
    clusterNodeRetryStrategy: pause,
    slotsRefreshInterval: 5000,
    slotsRefreshTimeout: SILENCE,
    maxRedirections: 4,
    redisOptions: commonOptions(config),
    // Names in a certificate are of hosts, and so is what the cluster tells where it was told to.
    ...(config.tls === null ? {} : { dnsLookup: (host, done) => done(null, host) }),
  } satisfies ClusterOptions;
}

function tlsOptions(tls: RedisTls) {
  return {
    rejectUnauthorized: tls.verify,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
  };
}
