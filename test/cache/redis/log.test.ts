import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { urlTag } from '../../../src/cache/fences/index.ts';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type Node, purge, startNode } from './stage.ts';

describe.skipIf(noRedis())('the sequence that nodes share', () => {
  let server: RedisServer;
  let one: Node;
  let other: Node;
  beforeAll(async () => {
    server = await redisServer();
    one = await startNode(server);
    other = await startNode(server);
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
    await server?.close();
  });
  const heard = async (node: Node, number: number) =>
    await until(() => node.fences.sequence >= number, `invalidation ${number}`);

  it('numbers invalidations of all nodes in one order, and brings each to each', async () => {
    const began = one.applied.length;
    const numbers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        (i % 2 === 0 ? one : other).sequence.invalidate(purge({ tags: [`tag ${i}`] })),
      ),
    );
    await heard(one, Math.max(...numbers));
    await heard(other, Math.max(...numbers));
    const tags = (node: Node) => node.applied.flatMap(({ what }) => what.tags);
    const all = Array.from({ length: 50 }, (_, i) => `tag ${i}`).sort();
    expect(tags(one).slice(-50).sort()).toEqual(all);
    expect(tags(other).slice(-50)).toEqual(tags(one).slice(-50));
    const order = one.applied.slice(began).map(({ number }) => number);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('says an invalidation is done only when this node holds it', async () => {
    const number = await one.sequence.invalidate(purge({ tags: ['held'] }));
    expect(one.fences.isDead({ sequence: number - 1, tags: ['held'], url: '' })).toBe(true);
    expect(one.fences.isDead({ sequence: number, tags: ['held'], url: '' })).toBe(false);
  });

  it('carries every kind of invalidation whole', async () => {
    const what = purge({
      tags: ['caf\u00e9 \u{1f600}', urlTag('http://a/b?c')],
      prefixes: ['http://a/', '/x'],
    });
    const soft = purge({ tags: ['s'], soft: true });
    await one.sequence.invalidate(what);
    const number = await one.sequence.invalidate(soft);
    await heard(other, number);
    expect(
      other.applied
        .slice(-2)
        .map(({ what: { tags, prefixes, all, soft } }) => ({ tags, prefixes, all, soft })),
    ).toEqual([what, soft]);
  });

  it('raises the floor of all nodes, and of what is in Redis', async () => {
    await one.fill('floor', ['a']);
    const number = await one.sequence.raiseFloor('a source lost its place');
    await heard(other, number);
    expect([one.fences.floor, other.fences.floor]).toEqual([number, number]);
    expect(await other.store.get('floor', () => 0)).toBeNull();
    expect(one.sequence.state()).toMatchObject({ floor: number, connected: true });
  });

  it('shows by heartbeats in the log up to when it has been heard', async () => {
    const now = systemClock.now();
    await until(() => one.syncedAt > now && other.syncedAt > now, 'heartbeats');
    await until(() => one.syncedAt > now + 500, 'more of them');
    // They are of all nodes together: not more for more nodes.
    await using _third = await startNode(server);
    const before = Number(await server.command('XLEN', '{tidegate}:log'));
    const since = systemClock.now();
    await until(() => one.syncedAt > since + 1000, 'a second of heartbeats');
    const after = Number(await server.command('XLEN', '{tidegate}:log'));
    expect(after - before).toBeLessThan(12);
  });

  it('lets a new node join without unseating what is in Redis', async () => {
    await one.fill('kept', ['a']);
    await one.sequence.invalidate(purge({ tags: ['b'] }));
    await using joined = await startNode(server);
    expect(await joined.read('kept')).toBe('v1');
    await one.fill('fenced', ['c']);
    await one.sequence.invalidate(purge({ tags: ['c'] }));
    await using late = await startNode(server);
    expect(await late.read('fenced')).toBeNull();
  });

  it('takes many invalidations at once in few calls', async () => {
    const calls = async () =>
      Number(/cmdstat_fcall:calls=(\d+)/.exec(String(await server.command('INFO', 'commandstats')))?.[1]);
    const before = await calls();
    await Promise.allSettled(
      Array.from({ length: 5000 }, (_, i) => one.sequence.invalidate(purge({ tags: [`m${i}`] }))),
    );
    expect((await calls()) - before).toBeLessThan(100);
    expect(one.fences.isDead({ sequence: 0, tags: ['m4999'], url: '' })).toBe(true);
  });

  it('forgets the oldest purged prefixes, and takes what they may have reached for purged', async () => {
    await one.fill('old', []);
    const prefixes = Array.from({ length: 1100 }, (_, i) => `http://elsewhere.test/${i}/`);
    // A busy machine may answer late; then it is told again.
    for (const prefix of prefixes)
      await one.sequence.invalidate(purge({ prefixes: [prefix] })).catch(() => {});
    await until(
      async () => Number(await server.command('ZCARD', '{tidegate}:prefixes')) === 1000,
      'a thousand prefixes',
    );
    expect(await one.store.get('old', () => 0)).toBeNull();
    await one.fill('new', []);
    expect(await one.read('new')).toBe('v1');
  });
});
