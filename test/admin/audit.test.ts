/** Each change over the admin API leaves one line in the log, of a gateway as it is run. */
import { expect, test } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode } from './node.ts';

const TOKEN = { authorization: 'Bearer sesame' };
const CHANGES = {
  push: { http: { token: 'open', maxBody: '2MiB' }, tables: { 'public.a': ['a:{row.id}'] } },
};
const EVENT = { op: 'c', after: { id: 1 }, source: { db: 'shop', schema: 'public', table: 'a' } };

const guarded = () => adminNode({ admin: { token: 'sesame' }, changes: CHANGES });

async function audited(node: AdminNode, count: number): Promise<Record<string, unknown>[]> {
  await until(() => node.logged('audit').length >= count, `${count} lines`);
  return node.logged('audit');
}

test('a purge is told with what it named and its number; credentials in URLs are masked', async () => {
  await using node = await guarded();
  const urls = ['https://shop.test/x?api_key=s3cret&page=2'];
  expect((await node.post('/v1/purge', { tags: ['a'], urls, soft: true }, TOKEN)).status).toBe(200);
  const [line] = await audited(node, 1);
  expect(line).toMatchObject({
    level: 'info',
    what: 'the cache was purged',
    result: 'done',
    by: 'token',
    peer: '127.0.0.1',
    tags: ['a'],
    urls: ['https://shop.test/x?api_key=***&page=2'],
    soft: true,
    sequence: expect.any(Number),
  });
  expect(node.gateway.output).not.toMatch(/s3cret|sesame/);
});

test('a config that is put, refused, stale or rolled back is told', async () => {
  await using node = await guarded();
  const put = async (body: string, etag: string) =>
    (
      await node.api('/v1/config', {
        method: 'PUT',
        body,
        headers: { ...TOKEN, 'content-type': 'application/json', 'if-match': etag },
      })
    ).status;
  const { text } = await node.api('/v1/config', { headers: TOKEN });
  expect(await put(text, '"another"')).toBe(412);
  expect(await put('{"routes":1}', '*')).toBe(422);
  expect(await put(text.replace('"hello"}', '"hi"}'), '*')).toBe(200);
  expect((await node.post('/v1/config/rollback', {}, TOKEN)).status).toBe(200);
  const lines = await audited(node, 4);
  expect(lines.map(({ what, result }) => [what, result])).toEqual([
    ['the config was replaced', 'stale'],
    ['the config was replaced', 'invalid'],
    ['the config was replaced', 'replaced'],
    ['the config was rolled back', 'replaced'],
  ]);
  for (const line of lines) expect(line).toMatchObject({ by: 'token', peer: '127.0.0.1' });
  expect(node.gateway.output).not.toContain('sesame');
});

test('events that are posted to a source are told, by its token', async () => {
  await using node = await guarded();
  expect((await node.post('/v1/changes/push', EVENT, { authorization: 'Bearer open' })).status).toBe(200);
  const [line] = await audited(node, 1);
  expect(line).toMatchObject({
    what: 'changes were posted',
    result: 'done',
    source: 'push',
    bytes: JSON.stringify(EVENT).length,
    by: 'token of the source',
    peer: '127.0.0.1',
  });
});

test('the token of a source stands in for the admin’s on its own resource alone', async () => {
  await using node = await guarded();
  const status = async (path: string, token: string | null, body: unknown = EVENT) => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const answer = await node.post(path, body, headers as Record<string, string>);
    if (answer.status === 401)
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="tidegate admin"');
    return answer.status;
  };
  expect(await status('/v1/changes/push', 'open')).toBe(200);
  expect(await status('/v1/changes/push', 'sesame')).toBe(401);
  expect(await status('/v1/changes/push', null)).toBe(401);
  expect(await status('/v1/changes/pu%73h', 'open')).toBe(401);
  expect(await status('/v1/changes/other', 'open')).toBe(401);
  expect(await status('/v1/changes/constructor', 'open')).toBe(401);
  expect(await status('/v1/changes/other', 'sesame')).toBe(404);
  expect(await status('/v1/purge', 'open', { all: true })).toBe(401);
  expect((await node.api('/v1/changes', { headers: { authorization: 'Bearer open' } })).status).toBe(401);
});

test('a source takes as much as its `maxBody`, the rest of the API 1 MiB', async () => {
  await using node = await guarded();
  const big = { ...EVENT, after: { id: 1, text: 'x'.repeat(1_500_000) } };
  expect((await node.post('/v1/changes/push', big, { authorization: 'Bearer open' })).status).toBe(200);
  const bigger = { ...EVENT, after: { id: 1, text: 'x'.repeat(2_500_000) } };
  expect((await node.post('/v1/changes/push', bigger, { authorization: 'Bearer open' })).status).toBe(413);
  expect((await node.post('/v1/purge', { tags: ['x'.repeat(1_500_000)] }, TOKEN)).status).toBe(413);
});

test('a target that is drained or unknown is told by name', async () => {
  await using node = await adminNode({
    services: { shop: { url: 'http://127.0.0.1:9' } },
    routes: { shop: { match: '/*', to: 'shop' } },
  });
  await node.post('/v1/services/shop/targets/127.0.0.1:9', { state: 'drain' });
  await node.post('/v1/services/shop/targets/http%3A%2F%2Fann%3Apw@nowhere', { state: 'active' });
  expect(await audited(node, 2)).toMatchObject([
    { what: 'a target was drained', result: 'done', by: 'loopback', target: 'http://127.0.0.1:9' },
    { what: 'a target was taken in again', result: 'unknown', target: 'http://***@nowhere' },
  ]);
});

test('what only asks, and what is refused at the door, leaves no line', async () => {
  await using node = await guarded();
  await node.api('/v1/status', { headers: TOKEN });
  await node.post('/v1/explain', { url: '/hello' }, TOKEN);
  await node.post('/v1/config/validate', {}, TOKEN);
  await node.post('/v1/purge', { all: true }, { authorization: 'Bearer wrong' });
  await node.post('/v1/purge', { all: true }, TOKEN);
  expect(await audited(node, 1)).toHaveLength(1);
});
