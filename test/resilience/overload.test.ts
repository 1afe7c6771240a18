/** `overload`: new requests are shed while the event loop is late. */
import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  ManualClock,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { adminNode, ask as askNode } from '../admin/node.ts';

let service: ScriptedOrigin;
let gateway: TestGateway;
let clock: ManualClock;
afterEach(async () => {
  await gateway.close();
  await service.close();
});

async function start(overload?: object, time?: Clock): Promise<void> {
  service = await scriptedOrigin(answer(200, [], 'ok'));
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  gateway = await startTestGateway(config(overload), { clock: time ?? clock });
}
const config = (overload?: object) => ({
  services: { shop: { url: service.url } },
  routes: {
    pay: { match: '/pay', to: 'shop', priority: 10 },
    all: { match: '/*', to: 'shop' },
  },
  ...(overload === undefined ? {} : { overload }),
});
async function ask(path: string) {
  const client = await rawClient({ port: gateway.port });
  await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const response = await client.response('GET');
  client.close();
  return response;
}
/** The loop is held up: time goes by, and no timer has run. */
const heldUp = (ms: number) => clock.stall(ms);

it('nothing is shed while the loop is in time, nor without the key', async () => {
  await start({ maxDelay: '100ms' });
  clock.advance(60_000);
  expect((await ask('/x')).status).toBe(200);
  await gateway.close();
  await service.close();
  await start();
  heldUp(10_000);
  expect((await ask('/x')).status).toBe(200);
});

it('what is shed reaches no service by onStatus either, least of all past the guard of its route', async () => {
  await start();
  const onStatus = { '503': { to: 'shop' } };
  const hash = `sha256:${createHash('sha256').update('k').digest('hex')}`;
  await gateway.reload({
    ...config({ maxDelay: '100ms' }),
    auth: { keys: { apiKey: { keys: [{ hash, subject: 'robot' }] } } },
    routes: {
      guarded: { match: '/guarded', to: 'shop', auth: { with: 'keys' }, onStatus },
      open: { match: '/open', to: 'shop', onStatus },
    },
  });
  heldUp(150);
  for (const path of ['/guarded', '/open']) {
    const shed = await ask(path);
    expect([shed.status, JSON.parse(shed.body.toString()).code]).toEqual([503, 'TG_OVERLOADED']);
    heldUp(150);
  }
  expect(service.requests).toEqual([]);
});

it('what no route takes is shed as well: a service may be asked for it by onStatus', async () => {
  await start();
  await gateway.reload({
    ...config({ maxDelay: '100ms' }),
    defaults: { onStatus: { '404': { to: 'shop' }, '503': { to: 'shop' } } },
    routes: { pay: { match: '/pay', to: 'shop' } },
  });
  expect((await ask('/x')).status).toBe(200);
  heldUp(150);
  const shed = await ask('/x');
  expect([shed.status, JSON.parse(shed.body.toString()).code]).toEqual([503, 'TG_OVERLOADED']);
  expect(service.requests).toHaveLength(1);
});

it('while it is late, requests get 503 with Retry-After and reach no service; routes with priority go on longer', async () => {
  await start({ maxDelay: '100ms' });
  heldUp(150);
  const shed = await ask('/x');
  expect([shed.status, headerValue(shed, 'retry-after')]).toEqual([503, '1']);
  expect(JSON.parse(shed.body.toString())).toMatchObject({ code: 'TG_OVERLOADED' });
  expect((await ask('/pay')).status).toBe(200);
  expect(service.requests).toHaveLength(1);
  heldUp(150);
  expect((await ask('/pay')).status).toBe(503);
});

it('once it is in time again, all are taken', async () => {
  await start({ maxDelay: '100ms' });
  heldUp(500);
  expect((await ask('/x')).status).toBe(503);
  clock.advance(0);
  clock.advance(20);
  expect((await ask('/x')).status).toBe(200);
});

it('a reload adds the key, gives it another delay, and takes it away', async () => {
  await start();
  heldUp(150);
  expect((await ask('/x')).status).toBe(200);
  clock.advance(0);
  await gateway.reload(config({ maxDelay: '100ms' }));
  expect((await ask('/x')).status).toBe(200);
  heldUp(150);
  expect((await ask('/x')).status).toBe(503);
  await gateway.reload(config({ maxDelay: '1s' }));
  heldUp(150);
  expect((await ask('/x')).status).toBe(200);
  heldUp(1000);
  expect((await ask('/x')).status).toBe(503);
  await gateway.reload(config());
  heldUp(10_000);
  expect((await ask('/x')).status).toBe(200);
});

it('what an aggregate asks of a route is part of what is under way: it is not shed', async () => {
  await start({ maxDelay: '100ms' });
  await gateway.reload({
    ...config({ maxDelay: '100ms' }),
    routes: {
      part: { match: '/part', to: 'shop' },
      page: {
        match: '/page',
        priority: 1,
        aggregate: { calls: { a: { route: 'part', path: '/part', read: 'text' } } },
      },
    },
  });
  heldUp(150);
  expect((await ask('/part')).status).toBe(503);
  expect((await ask('/page')).status).toBe(200);
});

it('a loop that is really held up sheds what came meanwhile, and takes what comes then', async () => {
  await start({ maxDelay: '100ms' }, systemClock);
  const client = await rawClient({ port: gateway.port });
  const send = async () => {
    await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    const until = performance.now() + 300;
    while (performance.now() < until);
    return (await client.response('GET')).status;
  };
  expect(await send()).toBe(503);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.response('GET')).status).toBe(200);
  client.close();
});

it('a worker that stands still sheds what came meanwhile, while the admin listener answers', async () => {
  await start();
  await using node = await adminNode({
    overload: { maxDelay: '200ms' },
    routes: {
      pay: { match: '/pay', respond: { body: 'paid' }, priority: 1 },
      all: { match: '/*', respond: { body: 'hello' } },
    },
  });
  const worker = node.gateway.tree().find((pid) => pid !== node.gateway.pid)!;
  const client = await rawClient({ port: node.port });
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  await client.send(get);
  expect((await client.response('GET')).status).toBe(200);
  process.kill(worker, 'SIGSTOP');
  await client.send(get);
  const began = performance.now();
  for (const path of ['/healthz', '/readyz', '/v1/status']) expect((await node.api(path)).status).toBe(200);
  expect(performance.now() - began).toBeLessThan(2000);
  await until(() => performance.now() - began > 600, 'the worker to be late');
  process.kill(worker, 'SIGCONT');
  const shed = await client.response('GET');
  expect([shed.status, headerValue(shed, 'retry-after')]).toEqual([503, '1']);
  client.close();
  await until(async () => (await askNode(node.port, '/')).status === 200, 'it to be in time again');
  const { routes } = JSON.parse((await node.api('/v1/routes')).text);
  expect(routes.find(({ name }: { name: string }) => name === 'all').serverError).toBeGreaterThan(0);
});
