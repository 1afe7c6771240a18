/** `overload`: new requests are shed while the event loop is late. */
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
} from '../../src/testkit/index.ts';

let service: ScriptedOrigin;
let gateway: TestGateway;
let clock: ManualClock;
afterEach(async () => {
  await gateway.close();
  await service.close();
});

async function start(overload?: object): Promise<void> {
  service = await scriptedOrigin(answer(200, [], 'ok'));
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  gateway = await startTestGateway(
    {
      services: { shop: { url: service.url } },
      routes: {
        pay: { match: '/pay', to: 'shop', priority: 10 },
        all: { match: '/*', to: 'shop' },
      },
      ...(overload === undefined ? {} : { overload }),
    },
    { clock },
  );
}
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
