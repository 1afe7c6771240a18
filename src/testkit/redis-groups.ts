import { freePort, processLab } from './process-lab.ts';
import { findRedis } from './redis-program.ts';
import { type RedisServer, type RedisSettings, redisServer } from './redis-server.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './waiting.ts';

/** A primary, its replica, and a sentinel that makes one of the other within about a second. */
export interface RedisSentinel {
  readonly servers: readonly RedisServer[];
  /** Of the sentinel. */
  readonly port: number;
  /** What it calls the primary. */
  readonly name: string;
  /** The server that is the primary now, by what the sentinel says. */
  primary(): Promise<RedisServer>;
  close(): Promise<void>;
}

const NAME = 'shop';
/** A replica needn't wait for others to come along. */
const AT_ONCE: RedisSettings = { 'repl-diskless-sync-delay': '0' };

export async function redisSentinel(settings: RedisSettings = {}): Promise<RedisSentinel> {
  const servers = [
    await redisServer({ ...AT_ONCE, ...settings }),
    await redisServer({ ...AT_ONCE, ...settings }),
  ];
  const [first, second] = servers as [RedisServer, RedisServer];
  await second.command('REPLICAOF', '127.0.0.1', first.port);
  await until(
    async () => /state=online/.test(String(await first.command('INFO', 'replication'))),
    'the replica to be in touch',
    10_000,
  );
  const lab = processLab();
  const folder = tempFolder();
  const port = await freePort();
  const file = folder.write(
    'sentinel.conf',
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder.path}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${first.port} 1`,
      `sentinel down-after-milliseconds ${NAME} 500`,
      `sentinel failover-timeout ${NAME} 2000`,
    ].join('\n'),
  );
  await lab.start(findRedis()!, [file, '--sentinel']).line(/\+monitor/);
  const ask = (...args: string[]) => first.commandAt(port, 'SENTINEL', ...args);
  await until(
    async () => String(await ask('REPLICAS', NAME)).includes(String(second.port)),
    'the sentinel to know the replica',
    15_000,
  );
  return {
    servers,
    port,
    name: NAME,
    async primary() {
      const [, at] = (await ask('GET-MASTER-ADDR-BY-NAME', NAME)) as string[];
      return servers.find((server) => server.port === Number(at))!;
    },
    async close() {
      await lab.close();
      folder.close();
      for (const server of servers) await server.close();
    },
  };
}

/** Primaries of a cluster. Ports and slots are given out when this resolves. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  /** The primary that a key is on at the start. */
  holding(key: string): Promise<RedisServer>;
  /** Gives a primary a replica, which takes over where the primary is lost. Resolves once it is in touch. */
  replica(primary: RedisServer): Promise<RedisServer>;
  close(): Promise<void>;
}

const SLOTS = 16_384;

export async function redisCluster(size = 3): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  for (let i = 0; i < size; i++) servers.push(await redisServer(await clusterSettings()));
  const [first] = servers as [RedisServer];
  for (const [i, server] of servers.entries()) {
    const from = Math.floor((i * SLOTS) / size);
    const to = Math.floor(((i + 1) * SLOTS) / size) - 1;
    await server.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    if (server !== first) await server.command('CLUSTER', 'MEET', '127.0.0.1', first.port, first.busPort!);
  }
  for (const server of servers) await until(() => isWhole(server, size), 'the cluster to be whole', 15_000);
  const replicas: RedisServer[] = [];
  return {
    servers,
    async holding(key) {
      const slot = Number(await first.command('CLUSTER', 'KEYSLOT', key));
      return servers[Math.ceil(((slot + 1) * size) / SLOTS) - 1]!;
    },
    async replica(primary) {
      const replica = await redisServer(await clusterSettings());
      replicas.push(replica);
      await replica.command('CLUSTER', 'MEET', '127.0.0.1', primary.port, primary.busPort!);
      await until(() => isWhole(replica, size), 'the replica to know the cluster', 15_000);
      await replica.command('CLUSTER', 'REPLICATE', String(await primary.command('CLUSTER', 'MYID')));
      await until(
        async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
        'the replica to be in touch',
        15_000,
      );
      return replica;
    },
    async close() {
      for (const server of [...servers, ...replicas]) await server.close();
    },
  };
}

async function clusterSettings(): Promise<RedisSettings> {
  return {
    'cluster-enabled': 'yes',
    'cluster-port': String(await freePort()),
    'cluster-node-timeout': '2000',
    'cluster-require-full-coverage': 'no',
    'repl-diskless-sync-delay': '0',
  };
}

async function isWhole(server: RedisServer, size: number): Promise<boolean> {
  const info = String(await server.command('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${size}`);
}
