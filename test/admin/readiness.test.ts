/** What `/readyz` says at the start and while sources are away, of a gateway as it is run. */
import { expect, test } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { adminNode, ask } from './node.ts';

const READY = { admin: { readyPath: '/_/ready' } };
/** Nothing listens on port 9. */
const AWAY = { postgres: { url: 'postgres://u:p@127.0.0.1:9/shop' }, tables: { 'public.a': ['a:{row.id}'] } };

test('a node whose database is away serves, is not ready at first, and is ready all the same within seconds', {
  timeout: 30_000,
}, async () => {
  await using node = await adminNode({ ...READY, changes: { shop: AWAY } });
  const refused = await node.api('/readyz');
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.text).detail).toBe('Not ready: not followed yet: shop.');
  expect((await ask(node.port, '/_/ready')).status).toBe(503);
  expect((await ask(node.port, '/hello')).text).toBe('hello');
  await until(async () => (await node.api('/readyz')).status === 200, 'the end of its patience', 15_000);
  expect((await ask(node.port, '/_/ready')).status).toBe(200);
  const { sources } = JSON.parse((await node.api('/v1/changes')).text);
  expect(sources[0].state).not.toBe('streaming');
});

test('a node whose sources are followed is ready at once', async () => {
  const push = { http: { token: 'sesame' }, tables: { 'public.a': ['a:{row.id}'] } };
  await using node = await adminNode({ ...READY, changes: { push } });
  await until(async () => (await node.api('/readyz')).status === 200, 'it to be ready', 2000);
  expect((await ask(node.port, '/_/ready')).status).toBe(200);
});

test('a source that a reload brings does not make a node unready', async () => {
  await using node = await adminNode(READY);
  await node.reloaded(() => node.write({ ...READY, changes: { shop: AWAY } }));
  for (let i = 0; i < 5; i++) expect((await node.api('/readyz')).status).toBe(200);
});
