import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noRedis, type RedisServer, redisServer, until } from '../../src/testkit/index.ts';
import { SharedNode } from './shared-node.ts';

describe.skipIf(noRedis())('what the nodes of one Redis know of a change source', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  beforeEach(() => redis.command('FLUSHALL'));
  afterAll(() => redis?.close());

  const posted = (tag = 'order:{row.id}', more: object = {}) => ({
    it: { http: { token: 'secret' }, tables: { 'public.orders': [tag] }, maxWait: '2s', ...more },
  });
  const start = (changes: object = posted()) => SharedNode.start(redis.url, changes);

  test('a position that one has applied is reached on each, with all its fences', async () => {
    await using one = await start();
    await one.opens('order:1');
    await using other = await start();
    await other.opens('order:1');
    const [dead, alive] = [other.filled('order:1'), other.filled('order:2')];
    await one.post(1);
    expect(await other.reaches('0/35C68778')).toBe(true);
    expect(dead()).toBe(true);
    expect(alive()).toBe(false);
    expect(other.changes.describe()[0]).toMatchObject({ position: '0/35C68778', state: 'streaming' });
  });

  test('a node that starts later knows what stands, and trusts it', async () => {
    await using one = await start();
    await one.opens('order:1');
    await one.post(1);
    await using late = await start();
    await late.opens('order:1');
    expect(await late.reaches('0/35C68778')).toBe(true);
  });

  test('a node whose mapping differs from that of who reads keeps and answers nothing of the source', async () => {
    await using one = await start();
    await using other = await start(posted('thing:{row.id}'));
    // Who speaks last, reads; what the other has kept is dead once it reads again.
    await one.post(1);
    await one.opens('order:1');
    await until(() => !other.keeps('thing:1'), 'the other to keep nothing');
    const before = one.filled('order:1');
    await other.post(2, 0x35c68800);
    await other.opens('thing:1');
    await until(() => !one.keeps('order:1'), 'the first to keep nothing');
    expect(await one.reaches('0/35C68800')).toBe(false);
    await one.post(3, 0x35c68900);
    await one.opens('order:1');
    expect(before()).toBe(true);
    await until(() => !other.keeps('thing:1'), 'the other to keep nothing again');
  });

  test('a mapping that goes to another and back revives nothing', async () => {
    await using one = await start();
    await using other = await start();
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    const kept = other.filled('order:7');
    await one.follow(redis.url, posted('thing:{row.id}'));
    await one.opens('thing:7');
    await until(() => !other.keeps('order:7'), 'the other to keep nothing');
    await one.post(7);
    await one.follow(redis.url, posted());
    await other.opens('order:7');
    expect(kept()).toBe(true);
  });

  test('what was begun under a config is kept by the rules of that config', async () => {
    await using one = await start();
    await one.opens('order:1');
    const { lens } = one;
    await one.follow(redis.url, posted('thing:{row.id}'));
    await one.opens('thing:1');
    expect(lens.familiesOf(['order:1'])).toBeNull();
    expect(lens.withheld?.size).toBe(1);
    await one.follow(redis.url, posted());
    await one.opens('order:1');
    expect(lens.familiesOf(['order:1'])).toHaveLength(1);
  });

  test('`settle` holds on every node, and ends on every node', async () => {
    await using one = await start(posted('order:{row.id}', { settle: '400ms' }));
    await using other = await start(posted('order:{row.id}', { settle: '400ms' }));
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    await one.post(1);
    expect(await other.reaches('0/35C68778')).toBe(true);
    expect(other.keeps('order:1')).toBe(false);
    expect(one.keeps('order:1')).toBe(false);
    expect(other.keeps('order:2')).toBe(true);
    const late = other.filled('order:1');
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    expect(late()).toBe(true);
  });

  test('a node that starts while a change settles keeps nothing until that is over', async () => {
    await using one = await start(posted('order:{row.id}', { settle: '800ms' }));
    await one.opens('order:1');
    await one.post(1);
    await using late = await start(posted('order:{row.id}', { settle: '800ms' }));
    await until(() => late.sequence.state().connected === true, 'the node to follow the log');
    expect(late.keeps('order:1')).toBe(false);
    await Promise.all([one.opens('order:1'), late.opens('order:1')]);
  });

  test('with a Redis that has lost all, the source is trusted again once who reads it has said so', async () => {
    await using one = await start();
    await using other = await start();
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    const [here, there] = [one.filled('order:1'), other.filled('order:1')];
    await redis.restart({ data: 'none' });
    await until(() => here() && there(), 'all that was kept to be dead', 10_000);
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    await one.post(1);
    expect(await other.reaches('0/35C68778')).toBe(true);
  });

  test('`maxLag` holds on every node: for as long as who reads says that nothing waits', async () => {
    const bounded = posted('order:{row.id}', { maxLag: '1s' });
    await using one = await start(bounded);
    await using other = await start(bounded);
    await one.post(1);
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
    await until(() => !one.keeps('order:1') && !other.keeps('order:1'), 'the bound to hold on both', 3000);
    await one.post(2, 0x35c68800);
    await Promise.all([one.opens('order:1'), other.opens('order:1')]);
  });

  test('while Redis is away the fences hold on this node, and nothing is acknowledged before it is back', async () => {
    await using one = await start();
    await one.opens('order:1');
    const dead = one.filled('order:1');
    redis.freeze();
    try {
      let acknowledged = false;
      const posted = one.post(1).then(() => {
        acknowledged = true;
      });
      await until(dead, 'the fence to hold here');
      expect(acknowledged).toBe(false);
      redis.thaw();
      await posted;
    } finally {
      redis.thaw();
    }
    expect(await one.reaches('0/35C68778')).toBe(true);
  });

  test('who has lost its seat unnoticed fences nothing in its name, and reads no more', async () => {
    const stream = {
      it: {
        redis: { url: redis.url, streams: ['shop.public.orders'], group: 'tidegate' },
        tables: { 'public.orders': ['order:{row.id}'] },
      },
    };
    await using one = await start(stream);
    await one.opens('order:1');
    // Another node has taken it, after this one was away for too long.
    await redis.command('HSET', '{tidegate}:seats', 'it', `another ${Date.now() + 60_000}`);
    const dead = one.filled('order:1');
    await redis.command(
      'XADD',
      'shop.public.orders',
      '*',
      '{"id":1}',
      JSON.stringify({
        before: null,
        after: { id: 1 },
        op: 'u',
        source: { schema: 'public', table: 'orders' },
      }),
    );
    await until(() => one.changes.describe()[0]?.error !== undefined, 'it to describe itself');
    await until(async () => (await redis.command('HGET', '{tidegate}:seats', 'it')) !== null, 'the seat');
    const pending = async () =>
      (await redis.command('XPENDING', 'shop.public.orders', 'tidegate')) as unknown[];
    await until(async () => Number((await pending())[0]) === 1 || dead(), 'the event to be read');
    expect(dead()).toBe(false);
    // The other is gone: the event comes again, and is fenced.
    await redis.command('HDEL', '{tidegate}:seats', 'it');
    await until(dead, 'the event to be fenced', 10_000);
  });
});
