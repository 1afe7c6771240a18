/** `admin.readyPath`: readiness on the main listeners, of a gateway as it is run. */
import { expect, test } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { adminNode, ask } from './node.ts';

const READY = { admin: { readyPath: '/_/ready' }, workers: 2 };

test('it is answered before all routes, and counted nowhere', async () => {
  const all = { match: '/*', respond: { status: 418 } };
  await using node = await adminNode({ ...READY, routes: { all }, log: { access: 'json' } });
  for (const path of ['/_/ready', '/_/ready?from=lb']) {
    expect(await ask(node.port, path)).toMatchObject({
      status: 200,
      text: 'ok\n',
      headers: { 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' },
    });
  }
  expect(await ask(node.port, '/_/ready', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  const post = await ask(node.port, '/_/ready', { method: 'POST', body: 'x' });
  expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
  for (const path of ['/_/readyx', '/_/ready/', '/_/read', '/x/_/ready'])
    expect((await ask(node.port, path)).status, path).toBe(418);
  await node.gateway.line(/_\/readyx/);
  expect(node.gateway.output).not.toContain('"path":"/_/ready"');
  const { routes, unmatched } = JSON.parse((await node.api('/v1/routes')).text);
  expect([routes[0].requests, unmatched.requests]).toEqual([4, 0]);
});

test('it is 503 at once when the node drains, on each worker, while requests still pass', async () => {
  await using node = await adminNode({ ...READY, drain: { delay: '3s', timeout: '1s' } });
  node.gateway.signal('SIGTERM');
  await until(async () => (await ask(node.port, '/_/ready')).status === 503, 'the first 503', 1000);
  for (let i = 0; i < 20; i++) {
    const { status, text, headers } = await ask(node.port, '/_/ready');
    expect([status, text, headers['retry-after']]).toEqual([503, 'not ready\n', '5']);
  }
  expect((await node.api('/readyz')).status).toBe(503);
  expect((await ask(node.port, '/hello')).status).toBe(200);
  expect((await node.gateway.exit()).code).toBe(0);
});

test('a worker that takes the place of a dead one, and a new version, answer it', async () => {
  await using node = await adminNode({ ...READY, workers: 1 });
  process.kill(node.gateway.tree().find((pid) => pid !== node.gateway.pid)!, 'SIGKILL');
  await node.gateway.line(/the new worker serves/);
  expect((await ask(node.port, '/_/ready')).status).toBe(200);
  node.gateway.signal('SIGUSR2');
  await until(async () => {
    expect((await ask(node.port, '/_/ready')).status).toBe(200);
    return node.logged('drained').length > 0;
  }, 'the new version alone');
  expect((await ask(node.port, '/_/ready')).status).toBe(200);
});

test('a reload adds and removes it, without a restart', async () => {
  await using node = await adminNode();
  expect((await ask(node.port, '/_/ready')).status).toBe(404);
  await node.reloaded(() => node.write({ admin: READY.admin }));
  expect((await ask(node.port, '/_/ready')).status).toBe(200);
  await node.reloaded(() => node.write({}));
  expect((await ask(node.port, '/_/ready')).status).toBe(404);
  expect(node.gateway.output).not.toContain('waits for a restart');
});
