import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  httpOrigin,
  rawClient,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';
import { HealthCount } from '../../src/upstream/index.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A target whose health can be switched; answers with its name. */
async function target(name: string) {
  const state = { status: 200, checks: 0 };
  const origin = await httpOrigin((request, response) => {
    if (request.url === '/base/healthz') {
      state.checks++;
      response.statusCode = state.status;
      response.end();
      return;
    }
    response.end(name);
  });
  closers.push(() => origin.close());
  return { ...origin, state };
}

async function gatewayBefore(urls: string[], health: object): Promise<TestGateway> {
  const gateway = await startTestGateway({
    services: { shop: { targets: urls, balance: 'roundRobin', health: { panic: '0%', ...health } } },
    routes: { all: { match: '/*', to: 'shop' } },
  });
  closers.push(() => gateway.close());
  return gateway;
}

async function ask(gateway: TestGateway): Promise<string> {
  const client = await rawClient({ port: gateway.port });
  await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  const response = await client.response();
  client.close();
  return response.status === 200 ? response.body.toString() : String(response.status);
}

const QUICK = { path: '/healthz', interval: '20ms', timeout: '500ms', unhealthyAfter: 2, healthyAfter: 2 };

describe('active checks', () => {
  it('take a target out that answers what is not healthy, and in again', async () => {
    const [a, b] = [await target('a'), await target('b')];
    const gateway = await gatewayBefore([`${a.url}/base`, `${b.url}/base`], QUICK);
    a.state.status = 500;
    await expect
      .poll(async () => [await ask(gateway), await ask(gateway), await ask(gateway)])
      .toEqual(['b', 'b', 'b']);
    a.state.status = 200;
    await expect
      .poll(
        async () => new Set([await ask(gateway), await ask(gateway), await ask(gateway), await ask(gateway)]),
        { timeout: 15_000 },
      )
      .toEqual(new Set(['a', 'b']));
  });

  it('may take a month, which a timer of the system does not count', async () => {
    let checks = 0;
    const slow = await httpOrigin((request, response) => {
      if (request.url !== '/healthz') response.end('slow');
      else setTimeout(() => response.end(String(++checks)), 50);
    });
    closers.push(() => slow.close());
    const gateway = await gatewayBefore([slow.url], { ...QUICK, timeout: '30d', unhealthyAfter: 1 });
    await expect.poll(() => checks, { timeout: 15_000 }).toBeGreaterThan(2);
    expect(await ask(gateway)).toBe('slow');
  });

  it('with none in and panic: 0% the answer is 503', async () => {
    const a = await target('a');
    const gateway = await gatewayBefore([`${a.url}/base`], QUICK);
    expect(await ask(gateway)).toBe('a');
    a.state.status = 404;
    await expect.poll(() => ask(gateway)).toBe('503');
  });

  it('a reload that leaves a target alone leaves its state alone; one that takes the check away ends it', async () => {
    const a = await target('a');
    a.state.status = 500;
    const gateway = await gatewayBefore([`${a.url}/base`], QUICK);
    await expect.poll(() => ask(gateway)).toBe('503');
    const config = (health: object) => ({
      services: { shop: { targets: [`${a.url}/base`], health: { panic: '0%', ...health } } },
      routes: { all: { match: '/*', to: 'shop', response: { headers: { set: { 'x-new': '1' } } } } },
    });
    await gateway.reload(config(QUICK));
    expect(await ask(gateway)).toBe('503');
    await gateway.reload(config({}));
    expect(await ask(gateway)).toBe('a');
    const checks = a.state.checks;
    await ask(gateway);
    expect(a.state.checks).toBe(checks);
  });

  it('a reload that changes the check leaves no target out for good', async () => {
    const a = await target('a');
    a.state.status = 500;
    const gateway = await gatewayBefore([`${a.url}/base`], QUICK);
    await expect.poll(() => ask(gateway)).toBe('503');
    a.state.status = 200;
    await gateway.reload({
      services: {
        shop: { targets: [`${a.url}/base`], health: { panic: '0%', ...QUICK, interval: '30ms' } },
      },
      routes: { all: { match: '/*', to: 'shop' } },
    });
    await expect.poll(() => ask(gateway)).toBe('a');
  });

  it('tcp: true asks for a connection, no more', async () => {
    const port = await freePort();
    const gateway = await gatewayBefore([`http://127.0.0.1:${port}`], {
      tcp: true,
      interval: '20ms',
      unhealthyAfter: 1,
      healthyAfter: 1,
    });
    await expect.poll(() => ask(gateway)).toBe('503');
    const server = createServer((socket) => {
      // A check goes as soon as it is connected.
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    }).listen(port, '127.0.0.1');
    closers.push(() => new Promise((resolve) => server.close(() => resolve())));
    await expect.poll(() => ask(gateway)).toBe('ok');
  });
});

describe('the count of checks', () => {
  it('goes out after so many failures in a row, and comes back after so many successes', () => {
    const count = new HealthCount({ unhealthyAfter: 3, healthyAfter: 2 });
    const changes = [false, false, true, false, false, false, true, false, true, true].map((well) =>
      count.record(well),
    );
    expect(changes).toEqual([false, false, false, false, false, true, false, false, false, true]);
    expect(count.up).toBe(true);
  });
});
