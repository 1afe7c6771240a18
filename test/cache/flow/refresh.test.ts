/** `refresh`: what is asked for often is filled again at once when a change has unseated it. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  type OriginExchange,
  type RawResponse,
  turn,
  until,
} from '../../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

const REFRESH = { ttl: '10m', refresh: true };

/** A service whose contents have a version that each PUT raises; all are of one group, which a PUT unseats. */
class Shop {
  version = 1;
  /** Reads that wait for an answer, once it is said that they shall. */
  readonly waiting: { exchange: OriginExchange; version: number }[] = [];
  holds = false;
  readonly headers: [string, string][];

  constructor(...headers: [string, string][]) {
    this.headers = [['Cache-Control', 'max-age=600'], ['Cache-Groups', '"all"'], ...headers];
  }

  readonly script = (exchange: OriginExchange): Promise<void> | void => {
    if (exchange.request.method === 'PUT') {
      this.version++;
      return exchange.send(answer(204, [['Cache-Group-Invalidation', '"all"']]));
    }
    if (!this.holds) return exchange.send(this.content());
    this.waiting.push({ exchange, version: this.version });
  };

  /** What was there when it was asked for. */
  async release(): Promise<void> {
    const { exchange, version } = this.waiting.shift()!;
    await exchange.send(this.content(version));
  }

  private content(version = this.version): string {
    return answer(200, this.headers, `v${version}`);
  }
}

let now: Stage;
afterEach(() => now.close());

const read = (path = '/a', ...headers: string[]) => now.ask(path, { headers });
const change = (path = '/other') => now.ask(path, { method: 'PUT', headers: ['Content-Length: 0'] });
const readsOf = (path: string) => now.asked().filter((head) => head.startsWith(`GET ${path} `));
const reads = (path = '/a') => readsOf(path).length;
const told = (response: RawResponse) => [response.body.toString(), headerValue(response, 'cache-status')];

async function readOften(path = '/a', ...headers: string[]): Promise<void> {
  for (let i = 0; i < 4; i++) await read(path, ...headers);
}

/** One that is read often is filled in the background: so all that the change has caused has begun. */
async function changeAndSee(path = '/seen'): Promise<void> {
  await readOften(path);
  const before = reads(path);
  await change();
  await until(() => reads(path) > before, 'a read in the background');
}

describe('an entry that is asked for often and unseated by a change', () => {
  it('is filled again in the background: its next reader hits what is new, and has asked nobody', async () => {
    now = await stage(new Shop().script, REFRESH);
    await readOften();
    expect(reads()).toBe(1);
    await change();
    await until(() => reads() === 2, 'a read in the background');
    await until(async () => told(await read())[1] === 'tidegate; hit; ttl=600', 'a hit');
    expect(told(await read())).toEqual(['v2', 'tidegate; hit; ttl=600']);
    expect(reads()).toBe(2);
  });

  it('is waited for by who comes meanwhile, and never answered as it was', async () => {
    const shop = new Shop();
    now = await stage(shop.script, REFRESH);
    await readOften();
    shop.holds = true;
    await change();
    await until(() => shop.waiting.length === 1, 'a read in the background');
    const asks = Array.from({ length: 10 }, () => read());
    await now.settled();
    await shop.release();
    for (const response of await Promise.all(asks))
      expect(told(response)).toEqual(['v2', expect.stringMatching(/collapsed/)]);
    expect(reads()).toBe(2);
  });

  it('is filled once more where another change overtakes the fill, one at a time', async () => {
    const shop = new Shop();
    now = await stage(shop.script, REFRESH);
    await readOften();
    shop.holds = true;
    await change();
    await until(() => shop.waiting.length === 1, 'a read in the background');
    await change();
    await change();
    await now.settled();
    expect(shop.waiting).toHaveLength(1);
    await shop.release();
    await until(() => shop.waiting.length === 1, 'another read');
    await shop.release();
    await until(async () => told(await read())[0] === 'v4', 'the newest');
    expect(told(await read())).toEqual(['v4', 'tidegate; hit; ttl=600']);
    expect(reads()).toBe(3);
  });

  it('is one that was asked for three times within a minute: others wait for their next reader', async () => {
    now = await stage(new Shop().script, REFRESH);
    for (let i = 0; i < 3; i++) await read('/seldom');
    await readOften('/long-ago');
    now.clock.advance(61_000);
    await changeAndSee();
    expect([reads('/seldom'), reads('/long-ago')]).toEqual([1, 1]);
    expect((await read('/seldom')).body.toString()).toBe('v2');
  });

  it('is not filled again and again for nobody', async () => {
    now = await stage(new Shop().script, REFRESH);
    await readOften();
    await changeAndSee();
    await until(() => reads() === 2, 'a read in the background');
    await changeAndSee();
    await changeAndSee();
    expect(reads()).toBe(2);
  });

  it('is left alone on a route that does not say refresh', async () => {
    now = await stage(new Shop().script, { ttl: '10m' });
    await readOften();
    await change();
    await now.settled();
    await turn();
    expect(reads()).toBe(1);
  });
});

describe('a refresh', () => {
  it('asks as its reader did, but for what is of one moment alone', async () => {
    const shop = new Shop(['Vary', 'Accept-Language'], ['ETag', '"1"']);
    now = await stage(shop.script, REFRESH);
    const headers = ['Accept-Language: de', 'X-Tenant: 7', 'User-Agent: Reader/1'];
    const moment = [
      'If-None-Match: "0"',
      'Range: bytes=0-0',
      'Cache-Control: max-stale',
      'X-Request-Id: mine',
    ];
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await readOften('/a?b=1', ...headers, ...moment, `Traceparent: ${traceparent}`, 'Tidegate-After: x');
    await change();
    await until(() => reads('/a?b=1') === 2, 'a read in the background');
    const head = readsOf('/a?b=1')[1]!;
    for (const line of headers) expect(head).toContain(`\r\n${line}\r\n`);
    expect(head).toMatch(/\r\nHost: shop\.test\r\n/i);
    expect(head).not.toMatch(/range:|max-stale|mine|1{32}|tidegate-after|"0"/i);
    expect(head).toMatch(/\r\nx-request-id: [0-9a-f]{32}\r\n/i);
    // What it knows of the old content is used to ask whether that is still the same.
    expect(head).toMatch(/\r\nif-none-match: "1"\r\n/i);
  });

  it('fills each variant that is asked for often', async () => {
    now = await stage(new Shop(['Vary', 'Accept-Language']).script, REFRESH);
    await readOften('/a', 'Accept-Language: de');
    await readOften('/a', 'Accept-Language: fr');
    await read('/a', 'Accept-Language: it');
    await change();
    await until(() => reads() === 5, 'two reads in the background');
    const languages = readsOf('/a').map((head) => /accept-language: (..)/i.exec(head)![1]);
    expect(languages).toEqual(['de', 'fr', 'it', 'de', 'fr']);
  });

  it('keeps content that its origin says is still the same', async () => {
    let asked = 0;
    now = await stage((exchange) => {
      if (exchange.request.method === 'PUT') return exchange.send(answer(204));
      asked++;
      const known = /if-none-match: "1"/i.test(exchange.request.raw.toString('latin1'));
      const headers: [string, string][] = [
        ['Cache-Control', 'max-age=600'],
        ['ETag', '"1"'],
      ];
      return exchange.send(known ? answer(304, headers) : answer(200, headers, 'same'));
    }, REFRESH);
    await readOften();
    await change('/a');
    await until(() => asked === 2, 'a read in the background');
    await until(async () => /; hit/.test(String(told(await read())[1])), 'a hit');
    expect(told(await read())).toEqual(['same', 'tidegate; hit; ttl=600']);
    expect(asked).toBe(2);
  });

  it.each([
    ['HEAD', 'HEAD'],
    ['parts', 'GET'],
  ])('counts %s, and fills the whole', async (what, method) => {
    now = await stage(new Shop().script, REFRESH);
    await read();
    const headers = what === 'parts' ? ['Range: bytes=0-0'] : [];
    for (let i = 0; i < 3; i++) await now.ask('/a', { method, headers });
    await change();
    await until(() => reads() === 2, 'a read in the background');
    expect(readsOf('/a')[1]).not.toMatch(/range/i);
  });

  it.each([
    ['Authorization', ['Authorization: Bearer x'], {}],
    ['a cookie', ['Cookie: session=1'], {}],
    ['a cookie in the key', ['Cookie: session=1'], { key: { cookies: ['session'] } }],
  ])('is not made with %s', async (_what, headers, cache) => {
    now = await stage(new Shop(['Cache-Control', 'public']).script, { ...REFRESH, ...cache });
    await readOften('/a', ...headers);
    await changeAndSee();
    expect([reads(), readsOf('/a').some((head) => /bearer|session/i.test(head))]).toEqual([1, true]);
  });

  it('is made for readers with cookies where no cookie reaches the service', async () => {
    now = await stage(new Shop().script, { ...REFRESH, ignoreCookies: true });
    await readOften('/a', 'Cookie: session=1');
    await change();
    await until(() => reads() === 2, 'a read in the background');
    expect(readsOf('/a').join('')).not.toMatch(/session/);
  });

  it('is made by the request of a reader who shows nothing, among others who do', async () => {
    now = await stage(new Shop(['Cache-Control', 'public']).script, REFRESH);
    await readOften('/a', 'Authorization: Bearer x');
    now.clock.advance(1000);
    await read();
    await change();
    await until(() => reads() === 2, 'a read in the background');
    expect(readsOf('/a')[1]).not.toMatch(/authorization/i);
  });
});

describe('whose request is made again', () => {
  const auth = {
    keys: {
      apiKey: {
        from: [{ header: 'x-api-key' }],
        keys: [
          { key: '${env.ADA:ada}', subject: 'ada', permissions: ['orders:read'] },
          { key: '${env.BOB:bob}', subject: 'bob', permissions: ['orders:read'] },
        ],
      },
    },
  };

  it('on a guarded route it carries what the key holds, and nothing of who asked', async () => {
    const shop = new Shop();
    now = await stage(shop.script, REFRESH);
    await now.gateway.reload({
      auth,
      services: { shop: { url: now.origin.url } },
      routes: {
        all: {
          match: '/*',
          to: 'shop',
          auth: { with: 'keys' },
          cache: { ...REFRESH, vary: 'auth.permissions' },
        },
        put: { match: { path: '/other', method: 'PUT' }, to: 'shop' },
        ping: { match: '/ping', respond: { status: 204 } },
      },
    });
    await readOften('/a', 'X-Api-Key: ada');
    await change();
    await until(() => reads() === 2, 'a read in the background');
    const head = readsOf('/a')[1]!;
    expect(head).toMatch(/\r\nx-auth-permissions: orders:read\r\n/i);
    expect(head).not.toMatch(/\bada\b|x-api-key|x-auth-subject/i);
    await until(async () => /; hit/.test(String(told(await read('/a', 'X-Api-Key: bob'))[1])), 'a hit');
    expect((await read()).status).toBe(401);
    expect(reads()).toBe(2);
  });

  it('cookies of the gateway’s own are no credential, and are not repeated', async () => {
    now = await stage(new Shop().script, REFRESH);
    const to = [
      { service: 'shop', weight: 1 },
      { service: 'shop', weight: 0 },
    ];
    await now.gateway.reload({
      services: { shop: { url: now.origin.url } },
      routes: {
        all: { match: '/*', to, sticky: { cookie: 'side' }, cache: REFRESH },
        put: { match: { path: '/other', method: 'PUT' }, to: 'shop' },
        ping: { match: '/ping', respond: { status: 204 } },
      },
    });
    const cookie = headerValue(await read(), 'set-cookie')!.split(';', 1)[0]!;
    expect(cookie).toMatch(/^side=/);
    await readOften('/a', `Cookie: ${cookie}`);
    await change();
    await until(() => reads() === 2, 'a read in the background');
    expect(readsOf('/a')[1]).not.toMatch(/cookie/i);
  });
});

it('an aggregate is filled again with what its calls answer by then', async () => {
  const shop = new Shop(['Content-Type', 'application/json']);
  now = await stage((exchange) => {
    if (exchange.request.method === 'PUT') return shop.script(exchange);
    const body = JSON.stringify({ version: shop.version });
    return exchange.send(answer(200, shop.headers, body));
  }, REFRESH);
  await now.gateway.reload({
    services: { shop: { url: now.origin.url } },
    routes: {
      whole: {
        match: '/whole/{id}',
        aggregate: {
          calls: {
            order: { to: 'shop', path: '/order/{params.id}' },
            lines: { to: 'shop', path: '/lines?v={order.body.version}', headers: { 'x-lines': 'yes' } },
          },
        },
        cache: REFRESH,
      },
      put: { match: { path: '/other', method: 'PUT' }, to: 'shop' },
      ping: { match: '/ping', respond: { status: 204 } },
    },
  });
  await readOften('/whole/7');
  expect(reads('/order/7')).toBe(1);
  await change();
  await until(() => reads('/lines?v=2') === 1, 'its calls in the background');
  await until(async () => /; hit/.test(String(told(await read('/whole/7'))[1])), 'a hit');
  expect(JSON.parse((await read('/whole/7')).body.toString())).toEqual({
    order: { version: 2 },
    lines: { version: 2 },
  });
  expect([reads('/order/7'), reads('/lines?v=1'), reads('/lines?v=2')]).toEqual([2, 1, 1]);
});

describe('a refresh that comes to nothing', () => {
  it.each([
    ['an error', answer(503)],
    ['an answer that may not be stored', answer(200, [['Cache-Control', 'no-store']], 'v2')],
    ['half an answer', 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 9\r\n\r\nv2'],
  ])('(%s) leaves it to the next reader, who never gets the old', async (_what, broken) => {
    let asked = 0;
    now = await stage(
      async ({ request, connection }) => {
        if (request.method === 'PUT') return connection.send(answer(204));
        asked++;
        if (asked !== 2) return connection.send(answer(200, [['Cache-Control', 'max-age=600']], `v${asked}`));
        await connection.send(broken);
        connection.socket.destroy();
      },
      REFRESH,
      { retries: 'none' },
    );
    await readOften();
    await change('/a');
    await until(() => asked === 2, 'a read in the background');
    await until(async () => (await read()).body.toString() === 'v3', 'the new content');
    expect(asked).toBe(3);
  });

  it('of what is too large to be kept, no more is read', async () => {
    const large = 'x'.repeat(64 * 1024);
    let asked = 0;
    let cut = false;
    now = await stage(
      async ({ request, connection }) => {
        if (request.method === 'PUT') return connection.send(answer(204));
        if (++asked === 1) return connection.send(answer(200, [['Cache-Control', 'max-age=600']], 'small'));
        connection.socket.on('close', () => {
          cut = true;
        });
        await connection.send(
          'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        while (!cut) {
          await connection.send(`10000\r\n${large}\r\n`);
          await turn();
        }
      },
      { ...REFRESH, maxSize: '256KiB' },
    );
    await readOften();
    await change('/a');
    await until(() => cut, 'the origin to be told that nobody reads on');
    expect(asked).toBe(2);
  });
});

describe('when the config changes', () => {
  const config = (cache: object | undefined) => ({
    services: { shop: { url: now.origin.url } },
    routes: {
      ...(cache === undefined ? {} : { all: { match: '/*', to: 'shop', cache } }),
      put: { match: { path: '/other', method: 'PUT' }, to: 'shop' },
      ping: { match: '/ping', respond: { status: 204 } },
      seen: { match: '/seen', to: 'shop', cache: REFRESH },
    },
  });

  it('refreshing is switched on without emptying the cache', async () => {
    now = await stage(new Shop().script, { ttl: '10m' });
    await read();
    await now.gateway.reload(config(REFRESH));
    await readOften();
    expect(reads()).toBe(1);
    await change();
    await until(() => reads() === 2, 'a read in the background');
  });

  it('what a route keeps that stays as it is, is refreshed as before', async () => {
    now = await stage(new Shop().script, REFRESH);
    await now.gateway.reload(config(REFRESH));
    await readOften();
    await now.gateway.reload({ ...config(REFRESH), policies: { any: 'true' } });
    await readOften();
    await change();
    await until(() => reads() === 2, 'a read in the background');
  });

  it.each([
    ['is gone', undefined],
    ['is refreshed no more', { ttl: '10m' }],
  ])('nothing is filled for a route that %s', async (_what, cache) => {
    now = await stage(new Shop().script, REFRESH);
    await readOften();
    await now.gateway.reload(config(cache));
    await changeAndSee();
    expect(reads()).toBe(1);
  });

  it('a fill under way goes on to its end, and what is gone is asked for no second time', async () => {
    const shop = new Shop();
    now = await stage(shop.script, REFRESH);
    await readOften();
    shop.holds = true;
    await change();
    await until(() => shop.waiting.length === 1, 'a read in the background');
    await change();
    await now.gateway.reload(config(undefined));
    shop.holds = false;
    await shop.release();
    await changeAndSee();
    expect(reads()).toBe(2);
  });
});

it('a gateway that ends fills nothing any more', async () => {
  const shop = new Shop();
  now = await stage(shop.script, REFRESH);
  const paths = Array.from({ length: 30 }, (_, i) => `/p${i}`);
  for (const path of paths) await readOften(path);
  shop.holds = true;
  await change();
  await until(() => shop.waiting.length === 20, 'reads in the background');
  await now.gateway.close();
  await turn();
  expect(shop.waiting).toHaveLength(20);
});

it('a purge of everything asks for few at once', async () => {
  const shop = new Shop();
  now = await stage(shop.script, REFRESH);
  const paths = Array.from({ length: 50 }, (_, i) => `/p${i}`);
  for (const path of paths) await readOften(path);
  shop.holds = true;
  await change();
  for (let left = paths.length; left > 0; left--) {
    await until(() => shop.waiting.length === Math.min(left, 20), 'reads in the background');
    await shop.release();
  }
  await until(async () => (await read('/p49')).body.toString() === 'v2', 'the new content');
  expect(paths.map(reads)).toEqual(paths.map(() => 2));
});
