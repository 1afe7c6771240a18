import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { type Node, SLACK, startNode, TIMEOUT } from './stage.ts';
import { Workload } from './workload.ts';

describe.skipIf(noRedis())('two nodes under load', () => {
  let server: RedisServer;
  let nodes: Node[];
  let workload: Workload;

  beforeEach(() => {
    nodes = [];
  });
  afterEach(async () => {
    await workload?.stop();
    for (const node of nodes) await node.close();
    await server?.close();
  });

  async function begin(settings = {}): Promise<void> {
    server = await redisServer(settings);
    nodes = [await startNode(server), await startNode(server)];
    workload = new Workload(nodes, 7);
    await workload.moreHits(50);
  }

  async function recovered(): Promise<void> {
    await until(() => nodes.every((node) => node.isReady()), 'both nodes to be back', 15_000);
    await workload.moreHits(50);
  }

  /** Nothing purged was answered, nothing lasted, and little was said. */
  async function expectPeace(lines = 4): Promise<void> {
    await workload.stop();
    expect(workload.stale).toEqual([]);
    expect(workload.slowest).toBeLessThan(TIMEOUT + SLACK);
    for (const node of nodes) expect(node.lines.length, node.lines.join('')).toBeLessThanOrEqual(lines);
  }

  it('answer nothing purged, ever', async () => {
    await begin();
    await workload.moreHits(1500);
    await expectPeace(0);
    expect(workload.refused).toBe(0);
  });

  it('go on while Redis is killed, and are back by themselves when it is, empty', async () => {
    await begin();
    await server.kill();
    const { reads } = workload;
    await until(() => workload.reads > reads + 200, 'reads without Redis');
    expect(nodes[0]!.sequence.state().connected).toBe(false);
    expect(nodes[0]!.store.describe()).toMatchObject({ state: 'away' });
    await server.start();
    await recovered();
    await expectPeace();
    expect(workload.refused).toBeGreaterThan(0);
  });

  it('answer nothing from an old snapshot', async () => {
    await begin();
    await server.save();
    const { changes } = workload;
    await until(() => workload.changes > changes + 50, 'changes after the snapshot');
    await server.restart({ data: 'saved' });
    await recovered();
    await expectPeace();
  });

  it('answer nothing from an old snapshot to a node that never saw what it lacks', async () => {
    server = await redisServer();
    nodes = [await startNode(server)];
    await nodes[0]!.fill('k', ['t']);
    await server.save();
    await nodes[0]!.sequence.invalidate({ tags: ['t'], prefixes: [], all: false, soft: false });
    await nodes[0]!.close();
    await server.restart({ data: 'saved' });
    nodes = [await startNode(server)];
    expect(await nodes[0]!.read('k')).toBeNull();
  });

  it('go on while Redis is frozen, each call within its deadline', async () => {
    await begin();
    server.freeze();
    const { reads } = workload;
    await until(() => workload.reads > reads + 200, 'reads without Redis');
    // Longer than the connections last, which are made again meanwhile, to a server that doesn't greet.
    await pause(2500);
    server.thaw();
    await recovered();
    await expectPeace();
  });

  it('survive short freezes without a word too many', async () => {
    await begin();
    for (let i = 0; i < 5; i++) {
      server.freeze();
      await pause(150);
      server.thaw();
      await workload.moreHits(20);
    }
    await recovered();
    await expectPeace();
  });

  it('read on from a full Redis, and purge in it', async () => {
    await begin({ 'maxmemory-policy': 'noeviction' });
    await server.command('CONFIG', 'SET', 'maxmemory', '1mb');
    await until(() => nodes.every((node) => node.store.describe().full), 'the store to be full');
    expect(nodes[0]!.sequence.state().connected).toBe(true);
    const { refused } = workload;
    const { changes } = workload;
    await until(() => workload.changes > changes + 50, 'changes in a full Redis');
    expect(workload.refused).toBe(refused);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await recovered();
    await expectPeace();
    expect(nodes[0]!.store.describe().full).toBe(false);
  });

  it('take everything for purged when the table of fences was evicted', async () => {
    await begin();
    for (const key of ['fences', 'log', 'life', 'prefixes', 'soft']) {
      await server.command('DEL', `{tidegate}:${key}`);
      await recovered();
    }
    await expectPeace(5);
  });

  it('keep the promise under allkeys-lru with too little memory for anything', async () => {
    await begin({ maxmemory: '14mb', 'maxmemory-policy': 'allkeys-lru' });
    for (let i = 0; i < 20; i++) {
      await server.command('SET', `noise ${i}`, Buffer.alloc(1024 * 1024, 'x')).catch(() => {});
      await pause(20);
    }
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await recovered();
    await workload.stop();
    expect(workload.stale).toEqual([]);
    expect(workload.slowest).toBeLessThan(TIMEOUT + SLACK);
  });

  it('come through FLUSHALL and FUNCTION FLUSH', async () => {
    await begin();
    await server.command('FLUSHALL');
    await recovered();
    await server.command('FUNCTION', 'FLUSH');
    await recovered();
    await expectPeace();
  });

  it('purge what could not be told to Redis as soon as it can', async () => {
    server = await redisServer();
    nodes = [await startNode(server), await startNode(server)];
    const [one, other] = nodes;
    await one!.fill('k', ['t']);
    // Cuts the log of one node off, not its store, nor the other node.
    await server.command('CLIENT', 'PAUSE', 300, 'WRITE');
    await expect(
      one!.sequence.invalidate({ tags: ['t'], prefixes: [], all: false, soft: false }),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await one!.read('k')).toBeNull();
    await until(async () => (await other!.read('k')) === null, 'the other node to hear of it');
    expect(await one!.store.get('k', () => 0)).toBeNull();
  });
});
