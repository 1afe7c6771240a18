import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { keyspaceFor } from '../../../src/cache/redis/index.ts';
import { digestOf } from '../../../src/cache/redis/keys.ts';
import {
  noRedis,
  type RedisCluster,
  type RedisSentinel,
  redisCluster,
  redisSentinel,
  until,
} from '../../../src/testkit/index.ts';
import { configFor, Node, PATIENT, purge, TIMEOUT, urlOf } from './stage.ts';
import { Workload } from './workload.ts';

describe.skipIf(noRedis())('two nodes under load, with sentinels', () => {
  let redis: RedisSentinel | undefined;
  let nodes: Node[] = [];
  let workload: Workload | undefined;
  afterEach(async () => {
    await workload?.stop();
    for (const node of nodes) await node.close();
    await redis?.close();
  });

  async function begin(): Promise<void> {
    redis = await redisSentinel();
    const config = configFor(redis.port, { kind: 'sentinels', name: redis.name });
    nodes = [new Node(config), new Node(config)];
    for (const node of nodes) await node.ready();
    workload = new Workload(nodes, 11);
    await workload.moreHits(50);
  }

  it('answer nothing purged when a replica takes over from a primary that died', async () => {
    await begin();
    const first = await redis!.primary();
    await first.kill();
    await until(async () => (await redis!.primary()) !== first, 'the replica to take over', 15_000);
    await until(() => nodes.every((node) => node.isReady()), 'both nodes to be back', 15_000);
    await workload!.moreHits(100);
    await workload!.stop();
    expect(workload!.stale).toEqual([]);
    expect(workload!.late).toBe(0);
    for (const node of nodes) expect(node.lines.length, node.lines.join('')).toBeLessThanOrEqual(4);
  }, 60_000);

  it('do not say that a change is done before a replica has it, and drop all when one takes over that lacks some', async () => {
    await begin();
    const first = await redis!.primary();
    const second = redis!.servers.find((server) => server !== first)!;
    await until(async () => nodes[0]!.applied.length > 0, 'changes');
    second.freeze();
    const refused = await until(async () => {
      const done = nodes[0]!.sequence.invalidate(purge({ tags: ['x'] }));
      return await done.then(
        () => null,
        (error: Error) => error,
      );
    }, 'a change that no replica confirms');
    expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
    // What the primary takes now, the replica never gets.
    await first.kill();
    second.thaw();
    await until(async () => (await redis!.primary()) !== first, 'the replica to take over', 15_000);
    await until(() => nodes.every((node) => node.isReady()), 'both nodes to be back', 15_000);
    await workload!.moreHits(100);
    await workload!.stop();
    expect(workload!.stale).toEqual([]);
  }, 60_000);
});

function groupOf(key: string): string {
  return keyspaceFor('tidegate', 'cluster').groupOf(digestOf(key)).fences;
}

describe.skipIf(noRedis())('two nodes on a cluster', () => {
  let redis: RedisCluster | undefined;
  let nodes: Node[] = [];
  let workload: Workload | undefined;
  afterEach(async () => {
    await workload?.stop();
    for (const node of nodes) await node.close();
    await redis?.close();
  });

  async function begin(commandTimeout = TIMEOUT): Promise<void> {
    redis = await redisCluster();
    const config = configFor(redis.servers[0]!.port, { kind: 'cluster', commandTimeout });
    nodes = [new Node(config), new Node(config)];
    for (const node of nodes) await node.ready();
  }

  it('share entries in all of its servers, and purge them in each', async () => {
    await begin(PATIENT);
    const [one, other] = nodes;
    const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
    for (const key of keys) await one!.fill(key, ['all', key]);
    for (const server of redis!.servers) expect(Number(await server.command('DBSIZE'))).toBeGreaterThan(5);
    for (const key of keys) expect(await other!.read(key)).toBe('v1');
    await other!.sequence.invalidate(purge({ tags: ['key 7'] }));
    for (const key of keys) expect((await one!.store.get(key, () => 0)) === null).toBe(key === 'key 7');
    await other!.sequence.invalidate(purge({ prefixes: [urlOf('key 1')] }));
    for (const key of keys)
      expect((await one!.store.get(key, () => 0)) === null).toBe(key === 'key 7' || key.startsWith('key 1'));
    await other!.sequence.invalidate(purge({ tags: ['all'] }));
    for (const key of keys) expect(await one!.store.get(key, () => 0)).toBeNull();
    const body = Buffer.alloc(700_000, 'y').toString();
    await one!.fill('large', [], body);
    expect(await other!.read('large')).toBe(body);
    expect(await one!.store.claim('c', 5000)).toBe('mine');
    expect(await other!.store.claim('c', 5000)).toBe('theirs');
    const settled = other!.store.settled('c', 5000);
    one!.store.release('c');
    await settled;
    expect(await other!.store.claim('c', 5000)).toBe('mine');
  }, 60_000);

  it('do not wait again and again for one server that is silent, and ask it when it is back', async () => {
    await begin();
    const { store } = nodes[0]!;
    const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
    const lost = await redis!.holding(groupOf('lost'));
    const holders = await Promise.all(keys.map((key) => redis!.holding(groupOf(key))));
    const there = keys[holders.findIndex((server) => server !== lost)]!;
    const neighbour = keys.find((key) => groupOf(key) === groupOf('lost'))!;
    for (const key of ['lost', there, neighbour]) await nodes[0]!.fill(key, []);
    lost.freeze();
    // So that the link hears of one of its servers, and does not think all of them lost.
    let stopped = false;
    const others = (async () => {
      while (!stopped) await nodes[0]!.read(there).then(() => pause(1));
    })();
    const began = performance.now();
    for (let i = 0; i < 100; i++) {
      for (const key of ['lost', neighbour]) expect(await store.get(key, () => 0)).toBeNull();
      await pause(5);
    }
    // Each time anew it would be 20 s.
    expect(performance.now() - began).toBeLessThan(5000);
    stopped = true;
    await others;
    await until(async () => (await nodes[0]!.read(there)) === 'v1', 'the other servers to be asked', 5000);
    lost.thaw();
    await until(async () => (await nodes[0]!.read('lost')) === 'v1', 'the server to be asked again', 15_000);
  }, 60_000);

  it('answer nothing purged while one server after the other restarts with nothing or an old snapshot', async () => {
    await begin();
    workload = new Workload(nodes, 13);
    await workload.moreHits(100);
    for (const server of redis!.servers) {
      await server.save();
      const { changes } = workload;
      await until(() => workload!.changes > changes + 30, 'changes after the snapshot');
      await server.restart({ data: 'saved' });
      await until(
        async () => String(await server.command('CLUSTER', 'INFO')).includes('state:ok'),
        'it to be back',
        15_000,
      );
      await until(() => nodes.every((node) => node.isReady()), 'both nodes to be back', 15_000);
      await workload.moreHits(200);
    }
    await workload.stop();
    expect(workload.stale).toEqual([]);
    for (const node of nodes) expect(node.lines.length, node.lines.join('')).toBeLessThanOrEqual(8);
  }, 60_000);
});
