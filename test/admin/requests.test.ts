/** Recent requests over the admin API, of two workers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answer, type ScriptedOrigin, scriptedOrigin } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode } from './node.ts';

const hash = `sha256:${createHash('sha256').update('hunter2').digest('hex')}`;
let service: ScriptedOrigin;
let node: AdminNode;

beforeAll(async () => {
  service = await scriptedOrigin(answer(200, [], 'hello'));
  node = await adminNode({
    workers: 2,
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9', retries: { attempts: 0 } } },
    auth: { keys: { apiKey: { from: [{ query: 'mine' }], keys: [{ hash, subject: 'bob' }] } } },
    routes: {
      kept: { match: '/kept', to: 'shop', cache: { ttl: '60s' } },
      guarded: { match: '/guarded', to: 'shop', auth: { with: 'keys' } },
      down: { match: '/down', to: 'down' },
    },
  });
}, 30_000);
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await service.close();
});

const ask = async (path: string, id: string) => {
  const response = await fetch(`http://127.0.0.1:${node.port}${path}`, { headers: { 'x-request-id': id } });
  await response.arrayBuffer();
};
const recent = async (query: string) => {
  const response = await fetch(`http://127.0.0.1:${node.admin}/v1/requests${query}`);
  return {
    status: response.status,
    body: (await response.json()) as { requests: Record<string, unknown>[] },
  };
};

it('a request is found by its id, with its way through the gateway', async () => {
  await ask('/guarded?x=1&mine=hunter2', 'id-guarded');
  const { body } = await recent('?id=id-guarded');
  expect(body.requests).toEqual([
    expect.objectContaining({
      id: 'id-guarded',
      method: 'GET',
      path: '/guarded?x=1&mine=***',
      status: 200,
      bytes: 5,
      route: 'guarded',
      auth: { provider: 'keys', subject: 'bob' },
      cache: null,
      service: 'shop',
      target: service.url,
      failure: null,
    }),
  ]);
  expect(body.requests[0]!.duration).toBeGreaterThan(0);
});

it('one that failed says why, and one from the cache that it was', async () => {
  await ask('/down', 'id-down');
  expect((await recent('?id=id-down')).body.requests[0]).toMatchObject({
    status: 502,
    service: 'down',
    failure: { code: 'TG_UPSTREAM_REFUSED', cause: expect.stringContaining('ECONNREFUSED') },
  });
  for (let i = 0; i < 8; i++) await ask('/kept', 'id-kept');
  const outcomes = (await recent('?id=id-kept')).body.requests.map(
    ({ cache }) => (cache as { outcome: string }).outcome,
  );
  expect(outcomes).toHaveLength(8);
  expect(outcomes).toContain('hit');
});

it('the newest come first, as many as are asked for, of both workers', async () => {
  for (let i = 0; i < 20; i++) await ask('/nowhere', `id-${i}`);
  const { body } = await recent('?limit=10');
  expect(body.requests).toHaveLength(10);
  const times = body.requests.map(({ at }) => at as string);
  expect(times).toEqual([...times].sort().reverse());
});

it('those of a route, and those that failed, which are remembered when many others came after them', async () => {
  await ask('/down', 'id-old');
  for (let i = 0; i < 60; i++)
    await Promise.all(Array.from({ length: 20 }, (_, n) => ask('/kept', `id-new-${i}-${n}`)));
  const { requests } = (await recent('?route=kept&limit=5')).body;
  expect(requests.map(({ route }) => route)).toEqual(Array(5).fill('kept'));
  const failed = (await recent('?route=down&failed=true')).body.requests;
  expect(failed.map(({ id }) => id)).toEqual(['id-old', 'id-down']);
  expect((await recent('?id=id-old')).body.requests).toHaveLength(1);
  expect((await recent('?route=kept&failed=true')).body.requests).toEqual([]);
});

it.each([
  ['?id=none', 404],
  ['?failed=maybe', 400],
  ['?limit=0', 400],
  ['?limit=many', 400],
])('%s is %i', async (query, status) => {
  expect((await recent(query)).status).toBe(status);
});
