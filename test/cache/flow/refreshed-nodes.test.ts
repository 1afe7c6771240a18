/** `refresh` in whole nodes, as they are installed: with change sources, several workers, and Redis between nodes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  noRedis,
  type ProcessLab,
  processLab,
  type RedisServer,
  redisServer,
  type TempFolder,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { Orders, RefreshedLoad, readAt } from './refreshed-load.ts';
import { purgeAt, startWholeNode, type WholeNode } from './whole-node.ts';

let lab: ProcessLab;
let folder: TempFolder;
let orders: Orders;

beforeEach(async () => {
  lab = processLab();
  folder = tempFolder();
  orders = await Orders.start();
});
afterEach(async () => {
  await lab.close();
  await orders.close();
  folder.close();
});

async function start(more: object = {}): Promise<WholeNode> {
  const node = await startWholeNode(lab, folder.path, orders.config(more));
  // Nothing that the source feeds is answered before that is followed.
  await until(async () => (await readAt(node, 0)).cache.includes('; hit'), 'a hit', 30_000);
  return node;
}

/** So often that each worker is asked often. */
async function readOften(node: WholeNode, id: number, times = 40): Promise<void> {
  for (let i = 0; i < times; i++) await readAt(node, id);
}

const metric = async ({ admin }: WholeNode, result: string, route = 'order'): Promise<number> => {
  const { text } = await ask(admin, { path: '/metrics' });
  const line = new RegExp(
    `^tidegate_cache_refreshes_total\\{route="${route}",result="${result}"\\} (\\d+)$`,
    'm',
  );
  return Number(line.exec(text)![1]);
};

/** Every reader gets the value from now on, without the service being asked for them. */
async function expectHits(node: WholeNode, id: number, value: number): Promise<void> {
  const before = orders.reads(id);
  expect(new Set(await values(node, id))).toEqual(new Set([value]));
  expect(orders.reads(id)).toEqual(before);
}

/** What many readers get, at every worker. */
async function values(node: WholeNode, id: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: 20 }, () => readAt(node, id)));
  return answers.map(({ value }) => value);
}

describe('a node of one worker', () => {
  let node: WholeNode;
  beforeEach(async () => {
    node = await start();
  }, 40_000);

  it('fills what a change of its source has unseated once, and counts it', async () => {
    await readOften(node, 1, 5);
    await readAt(node, 2);
    for (let n = 1; n <= 3; n++) {
      const value = await orders.change(1, node);
      await until(() => orders.reads(1).byItself === n, 'a read in the background');
      await until(async () => (await metric(node, 'filled')) === n, 'it to be counted');
      await expectHits(node, 1, value);
    }
    await orders.change(2, node);
    expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: 3 });
    expect(orders.reads(2)).toEqual({ byReaders: 1, byItself: 0 });
    const { text } = await ask(node.admin, { path: '/v1/routes' });
    const [route] = JSON.parse(text).routes;
    expect(route).toMatchObject({ refreshed: 3, refreshFailed: 0, refreshDropped: 0 });
  });

  it.each([
    ['a tag', { tags: ['order:1'] }],
    ['a URL', { urls: ['http://shop.test/orders/1'] }],
    ['a prefix', { prefixes: ['/orders/'] }],
    ['everything', { all: true }],
    ['a tag, softly', { tags: ['order:1'], soft: true }],
  ])('fills what a purge has unseated: of %s', async (_what, purge) => {
    await readOften(node, 1, 5);
    expect(await purgeAt(node, purge)).toBe(200);
    await until(async () => (await metric(node, 'filled')) > 0, 'it to be counted');
    await expectHits(node, 1, 0);
    expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: 1 });
  });

  it('of very many at once fills few at a time, and leaves the rest to their readers', async () => {
    const many = Array.from({ length: 1300 }, (_, i) => i + 10);
    for (const id of many) await readOften(node, id, 4);
    orders.delay = 20;
    expect(await purgeAt(node, { all: true })).toBe(200);
    const dropped = () => metric(node, 'dropped');
    await until(async () => (await dropped()) > 0, 'some to be dropped');
    const filled = async () => (await metric(node, 'filled')) + (await dropped()) >= many.length;
    await until(filled, 'the others to be filled', 20_000);
    // 20 at once, and 1000 that wait.
    expect(await dropped()).toBeGreaterThanOrEqual(many.length - 1020);
    const asked = [...orders.byItself.values()];
    expect(asked.every((count) => count === 1)).toBe(true);
    expect(asked.length).toBeLessThanOrEqual(1020);
  }, 60_000);
});

it('calls of an aggregate are filled again each by itself, with the item that they had', async () => {
  const config = orders.config() as { routes: object };
  const page = {
    match: '/page/{who}',
    aggregate: {
      calls: {
        ids: { to: 'orders', path: '/ids' },
        order: {
          each: 'ids.body.map(i, {"id": i, "for": params.who})',
          as: 'one',
          to: 'orders',
          path: '/orders/{one.id}',
          cache: { ttl: '1h', tags: ['order:{one.id}', 'for:{one["for"]}:{params.who}'], refresh: true },
        },
      },
      body: 'order.map(o, o.body)',
    },
  };
  const node = await start({ routes: { ...config.routes, page } });
  const pageOf = async (who: string) => {
    const headers = { host: 'shop.test', 'x-request-id': 'reader-page', cookie: 'session=1' };
    return JSON.parse((await ask(node.port, { path: `/page/${who}`, headers })).text);
  };
  for (let n = 1; n <= 3; n++) {
    for (let i = 0; i < 4; i++) await pageOf('ada');
    await orders.change(1, node);
    await until(async () => (await metric(node, 'filled', 'page')) === n, 'it to be counted');
    expect(await pageOf('ada')).toEqual([n, 0]);
  }
  expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: 3 });
  expect(orders.reads(2)).toEqual({ byReaders: 1, byItself: 0 });
  for (let i = 0; i < 4; i++) await pageOf('ada');
  expect(await purgeAt(node, { tags: ['for:ada:ada'] })).toBe(200);
  await until(async () => (await metric(node, 'filled', 'page')) === 5, 'both to be filled again');
}, 60_000);

it('two workers fill what each has been asked for often, each for itself', async () => {
  const node = await start({ workers: 2 });
  await readOften(node, 1);
  const { byReaders: workers } = orders.reads(1);
  const value = await orders.change(1, node);
  await until(() => orders.reads(1).byItself > 0, 'a read in the background');
  await until(async () => (await metric(node, 'filled')) === orders.reads(1).byItself, 'them to be counted');
  expect(new Set(await values(node, 1))).toEqual(new Set([value]));
  // One that was asked seldom leaves it to its reader.
  const { byReaders, byItself } = orders.reads(1);
  expect(byReaders + byItself).toBeLessThanOrEqual(2 * workers);
}, 60_000);

it('what a source that settles has unseated is filled once that is over', async () => {
  const config = orders.config() as { changes: { feed: object } };
  const node = await start({ changes: { feed: { ...config.changes.feed, settle: '300ms' } } });
  await readOften(node, 1, 5);
  const began = performance.now();
  const value = await orders.change(1, node);
  await until(() => orders.reads(1).byItself === 1, 'a read in the background');
  expect(performance.now() - began).toBeGreaterThan(290);
  await until(async () => (await metric(node, 'filled')) === 1, 'it to be counted');
  await expectHits(node, 1, value);
  expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: 1 });
}, 60_000);

it('under changes at random nothing stale is answered, and no change makes more than one read in the background', async () => {
  const node = await start();
  orders.delay = 5;
  const load = new RefreshedLoad(orders, [node], 12, 0);
  await until(() => load.hits > 3000, 'many hits', 40_000);
  await load.stop();
  expect(load.stale).toEqual([]);
  expect(sum(orders.byItself)).toBeGreaterThan(20);
  for (const [id, count] of orders.byItself) expect(count).toBeLessThanOrEqual(orders.changes.get(id) ?? 0);
}, 60_000);

describe.skipIf(noRedis())('two nodes of two workers with Redis between them', () => {
  let redis: RedisServer;
  let nodes: [WholeNode, WholeNode];

  beforeEach(async () => {
    redis = await redisServer();
    const more = { workers: 2, cache: { redis: { url: redis.url, commandTimeout: '2s' } } };
    nodes = [await start(more), await start(more)];
  }, 60_000);
  afterEach(() => redis.close());

  it('fill what all of them are asked for often once', async () => {
    for (const node of nodes) await readOften(node, 1);
    expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: 0 });
    for (let n = 1; n <= 5; n++) {
      const before = await counted();
      const value = await orders.change(1, nodes[n % 2]!);
      // Not every worker was asked often: that is for the system to decide.
      await until(async () => (await counted()) > before, 'it to be filled');
      const told = async () => (await values(nodes[(n + 1) % 2]!, 1)).every((one) => one === value);
      await until(told, 'the other node to hear of it');
      for (const node of nodes) await expectHits(node, 1, value);
      expect(orders.reads(1)).toEqual({ byReaders: 1, byItself: n });
      for (const node of nodes) await readOften(node, 1);
    }
  }, 90_000);

  it('answer nothing stale under changes at random, and a change makes no more than one read in the background', async () => {
    orders.delay = 5;
    const load = new RefreshedLoad(orders, nodes, 12, 1000);
    await until(() => load.hits > 3000, 'many hits', 40_000);
    await load.stop();
    expect(load.stale).toEqual([]);
    expect(sum(orders.byItself)).toBeGreaterThan(20);
    for (const [id, count] of orders.byItself) expect(count).toBeLessThanOrEqual(orders.changes.get(id) ?? 0);
  }, 80_000);

  const counted = async () => (await metric(nodes[0], 'filled')) + (await metric(nodes[1], 'filled'));
});

function sum(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0);
}
