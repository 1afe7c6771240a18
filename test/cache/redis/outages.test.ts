import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  noRedis,
  type ProcessLab,
  processLab,
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  redisCluster,
  redisSentinel,
  redisServer,
  type TempFolder,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { startWholeNode, type WholeNode } from '../flow/whole-node.ts';
import { GatewayLoad, GrowingOrigin } from './gateway-load.ts';

/** Whole nodes under load: every request is answered, and with nothing that was purged, whatever Redis does. */
class Outage {
  nodes: WholeNode[] = [];
  readonly lab: ProcessLab = processLab();
  readonly folder: TempFolder = tempFolder();
  private origin!: GrowingOrigin;
  load!: GatewayLoad;

  async start(redis: object): Promise<void> {
    this.origin = await GrowingOrigin.start();
    const config = { workers: 1, cache: { redis }, ...this.origin.config };
    const start = () => startWholeNode(this.lab, this.folder.path, config);
    this.nodes = await Promise.all([start(), start()]);
    await this.together();
  }

  /** @param silent As a node would be that purges nothing. */
  begin(silent = false): GatewayLoad {
    this.load = new GatewayLoad(this.nodes, this.origin, silent);
    return this.load;
  }

  /** Runs `event` under load, and until all is well again. */
  async during(what: string, event: () => Promise<void>): Promise<void> {
    this.begin();
    await this.moreHits(100);
    await event();
    await this.together();
    await this.moreHits(200);
    const { purged } = this.load;
    await until(() => this.load.purged > purged + 5, 'purges that all nodes hear of', 10_000);
    await this.load.stop();
    const { requests, p99, refused, stale, failed } = this.load;
    console.log(`${what}: ${requests} requests, p99 ${p99.toFixed(1)} ms, ${refused} purges refused`);
    expect({ stale, failed }).toEqual({ stale: [], failed: [] });
  }

  async moreHits(count: number): Promise<void> {
    const goal = this.load.hits + count;
    await until(() => this.load.hits >= goal, `${count} more hits`, 20_000);
  }

  /** Null while no worker of the node says so, as under load it may not in time. */
  async redisOf({ admin }: WholeNode): Promise<{ state: string; log: boolean; full: boolean } | null> {
    return JSON.parse((await ask(admin, { path: '/v1/cache' })).text).redis;
  }

  /** Both nodes are at Redis, and follow its log. */
  async together(): Promise<void> {
    const isThere = async (node: WholeNode) => {
      const redis = await this.redisOf(node);
      return redis?.state === 'connected' && redis.log;
    };
    await until(
      async () => (await Promise.all(this.nodes.map(isThere))).every(Boolean),
      'both nodes to be at Redis',
      30_000,
    );
  }

  /** One of them has noticed. */
  async away(): Promise<void> {
    await until(
      async () => (await this.redisOf(this.nodes[0]!))?.log === false,
      'the outage to be noticed',
      10_000,
    );
  }

  async close(): Promise<void> {
    await this.load?.stop();
    await this.lab.close();
    await this.origin?.close();
    this.folder.close();
  }
}

describe.skipIf(noRedis())('two whole nodes under load fail no request and answer nothing purged', () => {
  let redis: RedisServer;
  let at: Outage;
  beforeAll(async () => {
    redis = await redisServer({ 'maxmemory-policy': 'noeviction' });
    at = new Outage();
    await at.start({ url: redis.url });
  }, 60_000);
  afterEach(() => at.load?.stop());
  afterAll(async () => {
    await at?.close();
    await redis?.close();
  });

  it('while nothing happens', async () => {
    await at.during('at peace', () => pause(1000));
  }, 60_000);

  it('or would be caught if they did', async () => {
    const load = at.begin(true);
    await until(() => load.stale.length > 0, 'a stale answer', 15_000);
  }, 60_000);

  it('while Redis is killed, and comes back empty', async () => {
    await at.during('killed', async () => {
      await redis.kill();
      await at.away();
      await pause(1500);
      await redis.start();
    });
    expect(at.load.refused).toBeGreaterThan(0);
  }, 60_000);

  it('while Redis restarts, empty, at once', async () => {
    await at.during('restarted', () => redis.restart({ data: 'none' }));
  }, 60_000);

  it('while Redis is frozen', async () => {
    await at.during('frozen', async () => {
      redis.freeze();
      await at.away();
      await pause(2500);
      redis.thaw();
    });
    expect(at.load.refused).toBeGreaterThan(0);
  }, 60_000);

  it('while Redis is full and evicts nothing', async () => {
    await at.during('full', async () => {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
      await until(async () => (await at.redisOf(at.nodes[0]!))?.full ?? false, 'Redis to be full', 10_000);
      const { purged } = at.load;
      await until(() => at.load.purged > purged + 10, 'purges in a full Redis', 10_000);
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    });
  }, 60_000);
});

describe.skipIf(noRedis())('two whole nodes under load, with sentinels', () => {
  let redis: RedisSentinel;
  let at: Outage;
  beforeAll(async () => {
    redis = await redisSentinel();
    at = new Outage();
    await at.start({ sentinels: [`redis://127.0.0.1:${redis.port}`], name: redis.name });
  }, 60_000);
  afterEach(() => at.load?.stop());
  afterAll(async () => {
    await at?.close();
    await redis?.close();
  });

  it('fail no request and answer nothing purged while a replica takes over', async () => {
    await at.during('failed over', async () => {
      const first = await redis.primary();
      await first.kill();
      await until(async () => (await redis.primary()) !== first, 'the replica to take over', 20_000);
    });
  }, 90_000);
});

describe.skipIf(noRedis())('two whole nodes under load, on a cluster', () => {
  let redis: RedisCluster;
  let at: Outage;
  beforeAll(async () => {
    redis = await redisCluster();
    at = new Outage();
    await at.start({ cluster: redis.servers.map(({ url }) => url) });
  }, 60_000);
  afterEach(() => at.load?.stop());
  afterAll(async () => {
    await at?.close();
    await redis?.close();
  });

  async function takesOver(what: string, primary: RedisServer): Promise<void> {
    const replica = await redis.replica(primary);
    await at.during(what, async () => {
      await primary.kill();
      await until(
        async () => String(await replica.command('INFO', 'replication')).includes('role:master'),
        'the replica to take over',
        20_000,
      );
    });
  }

  it('fail no request and answer nothing purged while a replica of a server takes over', async () => {
    const [first] = redis.servers;
    const withLog = await redis.holding('{tidegate:0}:log');
    const primary = redis.servers.find((server) => server !== withLog && server !== first)!;
    await takesOver('failed over in a cluster', primary);
  }, 90_000);

  it('fail no request and answer nothing purged while a replica of the server with the log takes over', async () => {
    await takesOver('failed over in a cluster, the log too', await redis.holding('{tidegate:0}:log'));
  }, 90_000);
});
