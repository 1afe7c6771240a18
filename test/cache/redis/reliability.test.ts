import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { configFor, Node, PATIENT, purge, startNode, TIMEOUT } from './stage.ts';
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

  async function begin(settings = {}, commandTimeout = TIMEOUT): Promise<void> {
    server = await redisServer(settings);
    nodes = [await startNode(server, { commandTimeout }), await startNode(server, { commandTimeout })];
    workload = new Workload(nodes, 7);
    await workload.moreHits(50);
  }

  async function recovered(): Promise<void> {
    await until(() => nodes.every((node) => node.isReady()), 'both nodes to be back', 15_000);
    await workload.moreHits(50);
  }

  /** Nothing purged was answered, nothing lasted, and little was said. */
  async function expectPeace(lines = 4): Promise<void> {
    const timed = nodes.every((node) => node.timeout === TIMEOUT);
    await workload.stop();
    expect(workload.stale).toEqual([]);
    if (timed) expect(workload.late).toBe(0);
    for (const node of nodes) expect(node.lines.length, node.lines.join('')).toBeLessThanOrEqual(lines);
  }

  it('answer nothing purged, ever', async () => {
    await begin({}, PATIENT);
    await workload.moreHits(1500);
    await expectPeace();
    expect(workload.refused).toBe(0);
  });

  it('would be caught if fills took their number after the origin was read', async () => {
    server = await redisServer();
    nodes = [await startNode(server), await startNode(server)];
    workload = new Workload(nodes, 7, true);
    await until(() => workload.stale.length > 0, 'a stale answer', 15_000);
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
    await nodes[0]!.sequence.invalidate(purge({ tags: ['t'] }));
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
    await begin({ 'maxmemory-policy': 'noeviction' }, PATIENT);
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
    expect(workload.late).toBe(0);
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
    await server.command('ACL', 'SETUSER', 'default', '-fcall');
    await expect(one!.sequence.invalidate(purge({ tags: ['t'] }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await server.command('ACL', 'SETUSER', 'default', '+fcall');
    expect(await one!.read('k')).toBeNull();
    await until(async () => (await other!.read('k')) === null, 'the other node to hear of it');
    expect(await one!.store.get('k', () => 0)).toBeNull();
  });

  it('believe no entry that others filled while this one alone knew of a change', async () => {
    server = await redisServer();
    const login = ['on', '>secret', '~*', '&*', '+@all'];
    await server.command('ACL', 'SETUSER', 'log', ...login);
    const config = configFor(server.port);
    const logConfig = {
      ...config,
      endpoints: [{ ...config.endpoints[0]!, username: 'log', password: 'secret' }],
    };
    nodes = [new Node(config, { logConfig }), new Node(config)];
    const [one, other] = nodes as [Node, Node];
    for (const node of nodes) await node.ready();
    // It hears of everything, and can tell nothing.
    await server.command('ACL', 'SETUSER', 'log', '-fcall');
    await expect(one.sequence.invalidate(purge({ tags: ['t'] }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    const number = await other.sequence.invalidate(purge({ tags: ['something else'] }));
    await other.fill('k', ['t']);
    await until(() => one.fences.sequence >= number, 'the other change to be heard of');
    expect(await one.read('k')).toBeNull();
    expect(await other.read('k')).toBe('v1');
    // Cut off, it hears of nothing either.
    await server.command('ACL', 'SETUSER', 'log', 'off');
    await server.command('CLIENT', 'KILL', 'USER', 'log');
    await until(() => one.sequence.state().connected === false, 'the log to be cut off');
    for (let i = 0; i < 5; i++) await other.sequence.invalidate(purge({ tags: ['something else'] }));
    await other.fill('k', ['t'], 'v1 again');
    expect(await one.read('k')).toBeNull();
    await server.command('ACL', 'SETUSER', 'log', 'on', '+@all');
    await until(async () => {
      expect(await one.read('k')).toBeNull();
      return (await other.read('k')) === null;
    }, 'the other node to hear of it');
    await one.fill('k', ['t'], 'v2');
    expect(await other.read('k')).toBe('v2');
  });

  it('know that they are cut off where the primary has lost its replicas and must not write', async () => {
    await begin();
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await until(() => nodes.every((node) => node.sequence.state().connected === false), 'both to be cut off');
    const [node] = nodes as [Node];
    const { syncedAt } = node;
    await expect(node.sequence.invalidate(purge({ tags: ['t'] }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    const { reads } = workload;
    await until(() => workload.reads > reads + 200, 'reads meanwhile');
    expect(node.syncedAt).toBe(syncedAt);
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    await recovered();
    expect(node.syncedAt).toBeGreaterThan(syncedAt);
    await expectPeace();
  });

  it('drop what they hold when the log reaches back less far than they were away', async () => {
    server = await redisServer();
    nodes = [await startNode(server), await startNode(server)];
    const [one, other] = nodes as [Node, Node];
    const { length } = one.floors;
    await one.fill('k', ['t']);
    // What both should hear, and neither can read any more.
    await server.command(
      'EVAL',
      `redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
       local at = redis.call('BITFIELD', KEYS[2], 'INCRBY', 'i64', '#1048581', 5)[1]
       redis.call('BITFIELD', KEYS[2], 'INCRBY', 'i64', '#1048580', 5 * 4096)
       redis.call('BITFIELD', KEYS[2], 'SET', 'i64', '#1048582', 0)`,
      2,
      '{tidegate}:log',
      '{tidegate}:fences',
    );
    await until(() => one.floors.length > length && other.floors.length > length, 'the floor to rise');
    expect(one.fences.isDead({ sequence: one.applied.at(-1)!.number, tags: [], url: '' })).toBe(true);
    expect(one.lines.join('')).toContain('was missed');
    await one.fill('k', ['t'], 'v2');
    expect(await other.read('k')).toBe('v2');
  });
});
