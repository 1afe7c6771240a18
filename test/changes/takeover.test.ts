import { afterEach, describe, expect, test } from 'vitest';
import { noRedis, type RedisServer, redisServer, skippedWithout, until } from '../../src/testkit/index.ts';
import {
  type FollowedDatabase,
  mariadbDatabase,
  postgresDatabase,
  streamDatabase,
} from './chaos/databases.ts';
import { type DeployedNode, Deployment } from './chaos/deployment.ts';
import { Workload } from './chaos/workload.ts';

const READS = 'this node reads a change source now';

const KINDS = [
  { name: 'PostgreSQL', make: () => postgresDatabase(), without: '' },
  { name: 'MariaDB', make: mariadbDatabase, without: skippedWithout('MariaDB', 'mariadbd', 'mysqld') },
  { name: 'Redis Streams', make: streamDatabase, without: '' },
];

describe.skipIf(noRedis()).each(KINDS)('two nodes that share Redis and follow $name', ({ make, without }) => {
  let database: FollowedDatabase | null = null;
  let redis: RedisServer | null = null;
  let deployment: Deployment | null = null;
  afterEach(async () => {
    await deployment?.close();
    await redis?.close();
    await database?.close();
    [deployment, redis, database] = [null, null, null];
  });

  async function start(): Promise<{ reader: DeployedNode; other: DeployedNode }> {
    database = await make();
    redis = await redisServer();
    deployment = await Deployment.start({ database, redis: redis.url, source: { maxWait: '5s' } });
    const { nodes } = deployment;
    await Promise.all(nodes.map((node) => node.ready()));
    const reader = nodes.find((node) => node.output.includes(READS))!;
    return { reader, other: nodes.find((node) => node !== reader)! };
  }

  /** A row changes, and the node answers from its cache what is new. */
  async function follows(node: DeployedNode): Promise<void> {
    const { value, position } = await database!.bump(1);
    // What Debezium tells proves what was committed before it.
    if (database!.kind === 'redis') await database!.bump(2);
    const seen = await node.read(1, position);
    expect(seen.value).toBe(value);
    expect(seen.cache).not.toContain('behind');
    await until(async () => {
      const again = await node.read(1);
      expect(again.value).toBe(value);
      return again.cache.includes('hit');
    }, 'the new row to be kept');
  }

  test.skipIf(without !== '')(
    'one reads for both, and each knows how far it has come: `tidegate-after` is answered by either',
    async () => {
      const { reader, other } = await start();
      expect(other.output).not.toContain(READS);
      for (const node of [other, reader, other]) await follows(node);
      expect((await reader.state()).events).toBeGreaterThan(0);
      expect((await other.state()).events).toBe(0);
      // Each is asked anew: the reader may tell others of a position before it says so itself.
      await until(async () => {
        const [one, another] = await Promise.all([reader.state(), other.state()]);
        return one.position === another.position;
      }, 'both to say the same');
    },
    90_000,
  );

  test.skipIf(without !== '')(
    'when the reader dies, the other reads within seconds, and nothing is lost between',
    async () => {
      const { reader, other } = await start();
      await follows(other);
      expect((await other.read(3)).status).toBe(200);
      await until(async () => (await other.read(3)).cache.includes('hit'), 'a row to be kept');
      await reader.kill();
      const died = performance.now();
      const { value } = await database!.bump(3);
      await until(() => other.output.includes(READS), 'the other to read', 15_000);
      await until(async () => (await other.read(3)).value === value, 'the change to be seen', 15_000);
      expect(performance.now() - died).toBeLessThan(12_000);
      await until(async () => (await other.state()).state === 'streaming', 'it to stream', 15_000);
      await follows(other);
    },
    90_000,
  );
});

describe.skipIf(noRedis())('SIGUSR2: the new version takes over the change sources of the old one', () => {
  test.each([
    ['with Redis', true],
    ['without it', false],
  ])(
    '%s: no read is older than what its node had said is applied, and the source is followed on',
    async (_how, shares) => {
      const database = await postgresDatabase();
      const redis = shares ? await redisServer() : null;
      try {
        await using deployment = await Deployment.start({
          database,
          redis: redis?.url ?? null,
          nodes: 1,
          source: { maxWait: '5s' },
        });
        const [node] = deployment.nodes;
        await node!.ready();
        const workload = new Workload(database, deployment.nodes, 5);
        workload.start();
        await until(() => workload.after.reached > 5, 'changes to be applied', 10_000);
        node!.signal('SIGUSR2');
        await until(() => node!.output.includes('"message":"drained"'), 'the old one to be drained', 30_000);
        const { reached } = workload.after;
        await until(() => workload.after.reached > reached + 5, 'the new one to apply changes', 20_000);
        await workload.stop();
        expect(workload.stale).toEqual([]);
        expect(workload.failures).toBe(0);
        expect(workload.hits).toBeGreaterThan(0);
      } finally {
        await redis?.close();
        await database.close();
      }
    },
    120_000,
  );
});
