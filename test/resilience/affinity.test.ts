import { afterEach, describe, expect, it } from 'vitest';
import { headerValues, type RawResponse } from '../../src/testkit/index.ts';
import { BUSY, OK, RESET, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

function cookieOf(response: RawResponse): string | undefined {
  return headerValues(response, 'set-cookie')[0];
}

/** What the client sends back: `name=value`. */
function pairOf(response: RawResponse): string {
  return cookieOf(response)!.split(';')[0]!;
}

const BY_COOKIE = { balance: { cookie: 'at' } };

describe('balance by cookie', () => {
  it('a client stays on the target it was given, and gets its cookie once', async () => {
    on = await stage([OK, OK, OK], BY_COOKIE);
    const first = await on.ask();
    expect(cookieOf(first)).toMatch(/^at=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    const home = on.counts().indexOf(1);
    for (let i = 0; i < 5; i++) {
      const next = await on.ask('GET', '', [`Cookie: ${pairOf(first)}`]);
      expect(cookieOf(next)).toBeUndefined();
    }
    expect(on.counts()[home]).toBe(6);
  });

  it('the cookie is not sent on, the others are', async () => {
    on = await stage([OK], BY_COOKIE);
    const first = await on.ask();
    await on.targets[0]!.nextRequest();
    await on.ask('GET', '', [`Cookie: a=1; ${pairOf(first)}; b=2`]);
    const sent = await on.targets[0]!.nextRequest();
    expect(headerValues(sent, 'cookie')).toEqual(['a=1; b=2']);
    await on.ask('GET', '', [`Cookie: ${pairOf(first)}`]);
    expect(headerValues(await on.targets[0]!.nextRequest(), 'cookie')).toEqual([]);
  });

  it('a cookie that was made up means nothing, and names no target', async () => {
    on = await stage([OK, OK], BY_COOKIE);
    const value = pairOf(await on.ask()).slice(3);
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toContain('127.0.0.1');
    const response = await on.ask('GET', '', ['Cookie: at=http://127.0.0.1:1']);
    expect(response.status).toBe(200);
    expect(cookieOf(response)).toBeDefined();
  });

  it('a client whose target is out moves on, and learns where to', async () => {
    on = await stage([OK, OK], {
      ...BY_COOKIE,
      retries: { attempts: 0 },
      health: { passive: { errors: 1 }, panic: '10%' },
    });
    const first = await on.ask();
    const home = on.counts().indexOf(1);
    on.targets[home]!.answerWith(RESET);
    const cookie = [`Cookie: ${pairOf(first)}`];
    await on.ask('GET', '', cookie);
    const moved = await on.ask('GET', '', cookie);
    expect([moved.status, on.counts()[1 - home]]).toEqual([200, 1]);
    expect(pairOf(moved)).not.toBe(pairOf(first));
  });
});

describe('a sticky weighted route', () => {
  const route = (weights: [number, number]) => ({
    to: [
      { service: 'shop', path: '/a', weight: weights[0] },
      { service: 'shop', path: '/b', weight: weights[1] },
    ],
    sticky: { cookie: 'side', maxAge: '1h' },
  });

  it('a client stays on its side, for as long as the cookie lasts', async () => {
    on = await stage([OK], {}, route([50, 50]));
    const first = await on.ask();
    expect(cookieOf(first)).toMatch(/^side=[\w-]{22}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    const side = (await on.targets[0]!.nextRequest()).target;
    for (let i = 0; i < 6; i++) {
      await on.ask('GET', '', [`Cookie: ${pairOf(first)}`]);
      const sent = await on.targets[0]!.nextRequest();
      expect([sent.target, headerValues(sent, 'cookie')]).toEqual([side, []]);
    }
  });

  it('routes may share a cookie: a client stays on its side of each', async () => {
    on = await stage([OK], {}, {});
    const service = 'shop';
    const sides = (...paths: string[]) => ({
      to: paths.map((path) => ({ service, path })),
      sticky: { cookie: 'side' },
    });
    await on.gateway.reload({
      services: { shop: { url: on.targets[0]!.url } },
      routes: {
        get: { match: { path: '/*', method: 'GET' }, ...sides('/a', '/b') },
        put: { match: { path: '/*', method: 'PUT' }, ...sides('/c', '/d', '/e') },
      },
    });
    const moved = pairOf(await on.ask('GET'));
    const cookie = [`Cookie: ${pairOf(await on.ask('PUT', '', [`Cookie: ${moved}`]))}`];
    for (let i = 0; i < 3; i++) {
      expect(cookieOf(await on.ask('GET', '', cookie))).toBeUndefined();
      expect(cookieOf(await on.ask('PUT', '', cookie))).toBeUndefined();
    }
    const targets = on.targets[0]!.requests.map(({ method, target }) => `${method} ${target}`);
    expect(new Set(targets).size).toBe(2);
  });

  it('of a cookie that many share, or that was made up, no more is kept than eight need', async () => {
    on = await stage([OK], {}, route([50, 50]));
    const others = Array.from({ length: 20 }, (_, i) => String(i).padStart(22, 'x'));
    const made = cookieOf(
      await on.ask('GET', '', [`Cookie: side=${others.join('.')}.<script>.${'y'.repeat(23)}`]),
    );
    const values = made!.slice('side='.length, made!.indexOf(';')).split('.');
    expect([values.length, values.slice(0, 7)]).toEqual([8, others.slice(-7)]);
  });

  it('no service sees the cookies that the gateway gave out, whichever way a request reaches it', async () => {
    on = await stage([BUSY, OK, OK], {}, {});
    const [main, copy, backup] = on.targets.map(({ url }) => ({ url }));
    await on.gateway.reload({
      services: { main: { ...main, balance: { cookie: 'at' } }, copy, backup },
      routes: {
        all: {
          match: '/*',
          to: [{ service: 'main' }, { service: 'main', path: '/b' }],
          sticky: { cookie: 'side' },
          mirror: { to: 'copy' },
          onStatus: { 503: { to: 'backup' } },
        },
        other: { match: { path: '/x', headers: { 'x-other': true } }, to: 'backup' },
      },
    });
    const cookies = ['Cookie: side=one; a=1; at=two'];
    for (const headers of [cookies, [...cookies, 'X-Other: 1']])
      expect((await on.ask('GET', '', headers)).status).toBe(200);
    for (const { requests } of on.targets)
      for (const sent of requests) expect(headerValues(sent, 'cookie')).toEqual(['a=1']);
    expect(on.counts()).toEqual([1, 1, 2]);
  });

  it('clients without the cookie are spread by weight', async () => {
    on = await stage([OK], {}, route([90, 10]));
    for (let i = 0; i < 100; i++) await on.ask();
    expect(on.targets[0]!.requests.filter(({ target }) => target === '/a').length).toBe(90);
  });

  it('a side that has no weight any more lets its clients go', async () => {
    on = await stage([OK], {}, route([100, 1]));
    const first = await on.ask();
    await on.targets[0]!.nextRequest();
    await on.gateway.reload({
      services: { shop: { url: on.targets[0]!.url } },
      routes: { all: { match: '/*', ...route([0, 1]) } },
    });
    const moved = await on.ask('GET', '', [`Cookie: ${pairOf(first)}`]);
    expect((await on.targets[0]!.nextRequest()).target).toBe('/b');
    expect(cookieOf(moved)).toBeDefined();
  });
});

describe('balance by hash', () => {
  it('equal keys go to the same target, and one that has none goes as if no hash were said', async () => {
    on = await stage([OK, OK, OK], { balance: { hash: 'request.headers["x-user"]' } });
    for (let i = 0; i < 6; i++) await on.ask('GET', '', ['X-User: ada']);
    expect([...on.counts()].sort()).toEqual([0, 0, 6]);
    for (let i = 0; i < 6; i++) await on.ask();
    expect(on.counts().every((count) => count > 0)).toBe(true);
  });
});
