import { expect, test } from 'vitest';
import { type FenceHolders, type Invalidation, LocalSequence, Unavailable, urlTag } from '../cache/index.ts';
import type { NodeView, WorkerCacheState } from '../workers/index.ts';
import { cacheControl } from '../workers/index.ts';
import { adminApp } from './app.ts';

const WORKER: WorkerCacheState = {
  entries: 2,
  bytes: 2048,
  limit: 65_536,
  hits: 10,
  misses: 3,
  evictions: 1,
  redis: null,
};

/** The admin API of a node with these workers, and what their caches are told. */
function node(workers: WorkerCacheState[], away = false) {
  const told: [number, Invalidation | null][] = [];
  const holders: FenceHolders = {
    apply: async (number, what) => void told.push([number, what]),
    raiseFloor: async (number) => void told.push([number, null]),
    synced: () => {},
  };
  const local = new LocalSequence(holders);
  const invalidate = async (what: Invalidation) => {
    const number = await local.invalidate(what);
    if (away) throw new Unavailable('Redis is away');
    return number;
  };
  const sequence = { invalidate, state: () => local.state() };
  const sum = (of: (worker: WorkerCacheState) => number) =>
    workers.reduce((total, worker) => total + of(worker), 0);
  const caches = async () => ({
    states: workers,
    counts: {
      hits: sum(({ hits }) => hits),
      misses: sum(({ misses }) => misses),
      evictions: sum(({ evictions }) => evictions),
      dropped: sum(({ redis }) => redis?.dropped ?? 0),
    },
  });
  const app = adminApp(cacheControl(sequence, caches) as NodeView, (error) => {
    throw error;
  });
  const purge = async (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.request('/v1/purge', { method: 'POST', body: text });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      answer: await response.json(),
    };
  };
  return { app, told, purge };
}

test('GET /v1/cache sums up the workers, and tells sequence and floor', async () => {
  const { app, purge } = node([WORKER, { ...WORKER, hits: 5 }]);
  await purge({ all: true });
  await purge({ tags: ['a'] });
  expect(await (await app.request('/v1/cache')).json()).toEqual({
    entries: 4,
    bytes: 4096,
    limit: 131_072,
    hits: 15,
    misses: 6,
    evictions: 2,
    sequence: 2,
    floor: 1,
    redis: null,
  });
});

test('GET /v1/cache shows that one worker has lost Redis', async () => {
  const state = { state: 'connected', since: 0, reason: null, full: false, dropped: 1 } as const;
  const lost = { state: 'away', since: 60_000, reason: 'ECONNREFUSED', full: false, dropped: 2 } as const;
  const { app } = node([
    { ...WORKER, redis: state },
    { ...WORKER, redis: lost },
  ]);
  expect(((await (await app.request('/v1/cache')).json()) as { redis: object }).redis).toEqual({
    state: 'away',
    since: '1970-01-01T00:01:00.000Z',
    reason: 'ECONNREFUSED',
    full: false,
    dropped: 3,
    log: null,
  });
});

test('POST /v1/purge tells the number once the workers hold it', async () => {
  const { purge, told } = node([WORKER]);
  const body = { tags: ['order:42'], urls: ['http://shop.example/a'], prefixes: ['/b'], soft: true };
  expect(await purge(body)).toMatchObject({ status: 200, answer: { sequence: 1 } });
  const tags = ['order:42', urlTag('http://shop.example/a')];
  expect(told).toEqual([[1, { tags, prefixes: ['/b'], all: false, soft: true }]]);
});

test('POST /v1/purge is 503 while other nodes can not be told, and done on this one', async () => {
  const { purge, told } = node([WORKER], true);
  expect(await purge({ tags: ['a'] })).toMatchObject({
    status: 503,
    type: 'application/problem+json',
    answer: { status: 503, detail: expect.stringContaining('On this node it is purged.') },
  });
  expect(told).toHaveLength(1);
});

test('POST /v1/purge says what is wrong with what it is sent, and does nothing', async () => {
  const { purge, told } = node([WORKER]);
  for (const body of ['', '{', '[]', '{}', '{"tag":["a"]}', '{"tags":"a"}', '{"urls":["/a"]}']) {
    expect(await purge(body)).toMatchObject({ status: 400, type: 'application/problem+json' });
  }
  expect(told).toEqual([]);
});

test('GET /v1/purge is 405 and names POST; POST /v1/cache is 405', async () => {
  const { app } = node([WORKER]);
  const response = await app.request('/v1/purge');
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await app.request('/v1/cache', { method: 'POST' })).status).toBe(405);
});
