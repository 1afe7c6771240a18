/** Limits on real sockets, with a clock that is moved by hand. */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type LogFields, type Logger, silentLogger } from '../../src/telemetry/index.ts';
import {
  answer,
  headerValue,
  ManualClock,
  type RawResponse,
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

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const AUTH = {
  keys: {
    apiKey: {
      keys: [
        { hash: hash('bob'), subject: 'bob' },
        { hash: hash('eve'), subject: 'eve', permissions: ['pro'] },
      ],
    },
  },
};

async function start(
  limit: unknown,
  route: object = {},
  more: object = {},
  log: Logger = silentLogger,
): Promise<void> {
  service = await scriptedOrigin(answer(200, [['Cache-Control', 'max-age=60']], 'ok'));
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  gateway = await startTestGateway(config(limit, route, more), { clock, log });
}
const config = (limit: unknown, route: object = {}, more: object = {}): object => ({
  listen: [{ name: 'main', address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }],
  services: { shop: { url: service.url } },
  routes: { all: { match: '/*', to: 'shop', ...(limit === undefined ? {} : { limit }), ...route } },
  ...more,
});

async function ask(head = 'GET /', ...headers: string[]): Promise<RawResponse> {
  const client = await rawClient({ port: gateway.port });
  await client.send(`${[`${head} HTTP/1.1`, 'Host: shop.test', ...headers].join('\r\n')}\r\n\r\n`);
  const response = await client.response(head.split(' ')[0]!);
  client.close();
  return response;
}
/** Statuses of so many requests, one after the other. */
async function statuses(count: number, head?: string, ...headers: string[]): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await ask(head, ...headers)).status);
  return all;
}
const from = (address: string) => `X-Forwarded-For: ${address}`;

describe('a limit', () => {
  it('lets a burst through, then one for each interval', async () => {
    await start({ rate: '2/s', burst: 3 });
    expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
    clock.advance(499);
    expect(await statuses(1)).toEqual([429]);
    clock.advance(1);
    expect(await statuses(2)).toEqual([200, 429]);
    clock.advance(60_000);
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
    expect(service.requests).toHaveLength(7);
  });

  it.each([
    ['100/s', 100],
    ['600/m', 10],
    ['5/15m', 1],
    ['1/d', 1],
  ])('of %s has a burst of %i where none is said', async (rate, burst) => {
    await start({ rate });
    const all = await statuses(burst + 1);
    expect(all.filter((status) => status === 200)).toHaveLength(burst);
    expect(all.at(-1)).toBe(429);
  });

  it('refuses with a problem document that says when, and what the limit is', async () => {
    await start({ rate: '5/15m' });
    await ask();
    const response = await ask();
    expect(response.status).toBe(429);
    expect(headerValue(response, 'content-type')).toBe('application/problem+json');
    expect(JSON.parse(response.body.toString())).toMatchObject({
      status: 429,
      title: 'Too Many Requests',
      code: 'TG_LIMIT_EXCEEDED',
    });
    expect(headerValue(response, 'retry-after')).toBe('180');
    expect(headerValue(response, 'ratelimit-policy')).toBe('"all";q=5;w=900');
    expect(headerValue(response, 'ratelimit')).toBe('"all";r=0;t=180');
  });

  it('says on each answer what is left', async () => {
    await start({ rate: '10/m', burst: 3, name: 'orders' });
    const left: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) left.push(headerValue(await ask(), 'ratelimit'));
    expect(left).toEqual(['"orders";r=2;t=6', '"orders";r=1;t=12', '"orders";r=0;t=6']);
  });

  it('counts hits of the cache, and comes before it', async () => {
    await start({ rate: '2/m', burst: 2 }, { cache: true });
    expect(await statuses(3)).toEqual([200, 200, 429]);
    expect(service.requests).toHaveLength(1);
  });

  it('does not count preflights, which the gateway answers', async () => {
    await start({ rate: '1/m' }, { cors: { origins: ['https://a.test'] } });
    const headers = ['Origin: https://a.test', 'Access-Control-Request-Method: GET'];
    expect(await statuses(3, 'OPTIONS /', ...headers)).toEqual([204, 204, 204]);
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it('none takes that of the defaults away', async () => {
    await start(
      undefined,
      {},
      {
        defaults: { limit: { rate: '1/m' } },
        routes: { open: { match: '/open', respond: {}, limit: 'none' }, all: { match: '/*', respond: {} } },
      },
    );
    expect(await statuses(3, 'GET /open')).toEqual([200, 200, 200]);
    expect(await statuses(2, 'GET /x')).toEqual([200, 429]);
  });
});

describe('by what requests are counted', () => {
  it('the address of the client, as trusted proxies say it', async () => {
    await start({ rate: '1/m' });
    expect(await statuses(2, 'GET /', from('10.0.0.1'))).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', from('10.0.0.2'))).toEqual([200, 429]);
  });

  it('IPv6 by its /64, however it is spelled', async () => {
    await start({ rate: '1/m' });
    expect(await statuses(1, 'GET /', from('2001:db8::1'))).toEqual([200]);
    for (const same of ['2001:db8::2', '2001:DB8:0:0:ffff::9', '2001:0db8:0000::1.2.3.4'])
      expect(await statuses(1, 'GET /', from(same))).toEqual([429]);
    expect(await statuses(1, 'GET /', from('2001:db8:0:1::1'))).toEqual([200]);
  });

  it('a value, and the address where it fails or is empty', async () => {
    await start({ rate: '1/m', per: 'request.headers["x-tenant"]' });
    expect(await statuses(2, 'GET /', from('10.0.0.1'), 'X-Tenant: a')).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', from('10.0.0.2'), 'X-Tenant: a')).toEqual([429, 429]);
    expect(await statuses(2, 'GET /', from('10.0.0.1'))).toEqual([200, 429]);
    expect(await statuses(1, 'GET /', from('10.0.0.1'), 'X-Tenant:')).toEqual([429]);
    expect(await statuses(1, 'GET /', from('10.0.0.3'), 'X-Tenant: ip 10.0.0.1')).toEqual([200]);
    // What stands twice is not relied on.
    expect(await statuses(1, 'GET /', from('10.0.0.1'), 'X-Tenant: x', 'X-Tenant: y')).toEqual([429]);
  });

  it('the address where a list is empty: those who show nothing are not one', async () => {
    await start({ rate: '1/m', per: 'request.queries["of"].filter(q, q != "")' });
    expect(await statuses(1, 'GET /?of=', from('10.0.0.1'))).toEqual([200]);
    expect(await statuses(1, 'GET /?of=', from('10.0.0.2'))).toEqual([200]);
    expect(await statuses(2, 'GET /?of=a', from('10.0.0.2'))).toEqual([200, 429]);
  });

  it('all together', async () => {
    await start({ rate: '2/m', burst: 2, per: '"all"' });
    const all = [];
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      all.push(...(await statuses(1, 'GET /', from(address))));
    expect(all).toEqual([200, 200, 429]);
  });

  it('long values by their hash', async () => {
    await start({ rate: '1/m', per: 'request.headers["x-long"]' });
    const long = (end: string) => `X-Long: ${'x'.repeat(5000)}${end}`;
    expect(await statuses(2, 'GET /', long('a'))).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', long('b'))).toEqual([200, 429]);
  });

  it('who asks, once that is known; another provider makes another', async () => {
    await start({ rate: '1/m', per: 'auth.subject' }, { auth: { with: 'keys' } }, { auth: AUTH });
    expect(await statuses(2, 'GET /', 'X-Api-Key: bob')).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', 'X-Api-Key: eve')).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', 'X-Api-Key: none')).toEqual([401, 401]);
  });

  it('the address, before anyone is asked who they are', async () => {
    await start({ rate: '2/m', burst: 2 }, { auth: { with: 'keys' } }, { auth: AUTH });
    expect(await statuses(3, 'GET /', 'X-Api-Key: none')).toEqual([401, 401, 429]);
  });

  it('a member of the body', async () => {
    await start({ rate: '1/m', per: 'request.body.tenant' });
    const post = async (tenant: string) => {
      const body = JSON.stringify({ tenant });
      const client = await rawClient({ port: gateway.port });
      await client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const { status } = await client.response('POST');
      client.close();
      return status;
    };
    expect([await post('a'), await post('a'), await post('b')]).toEqual([200, 429, 200]);
  });
});

describe('a rate that is made for each request', () => {
  const rate = '{"pro" in auth.permissions ? "4/m" : "1/m"}';
  it('by who asks', async () => {
    await start({ rate, burst: 1, per: 'auth.subject' }, { auth: { with: 'keys' } }, { auth: AUTH });
    expect(await statuses(2, 'GET /', 'X-Api-Key: bob')).toEqual([200, 429]);
    expect(await statuses(2, 'GET /', 'X-Api-Key: eve')).toEqual([200, 429]);
    clock.advance(15_000);
    expect(await statuses(1, 'GET /', 'X-Api-Key: eve')).toEqual([200]);
    expect(await statuses(1, 'GET /', 'X-Api-Key: bob')).toEqual([429]);
  });

  it('that can not be worked out lets nothing through', async () => {
    await start({ rate: '{request.headers["x-rate"]}' });
    expect((await ask()).status).toBe(500);
    expect((await ask('GET /', 'X-Rate: many')).status).toBe(500);
    expect((await ask('GET /', 'X-Rate: 1/s')).status).toBe(200);
    expect(service.requests).toHaveLength(1);
  });
});

describe('several limits', () => {
  it('all hold, and what one refuses counts for none', async () => {
    await start([
      { rate: '3/m', burst: 3 },
      { rate: '1/m', per: 'request.headers["x-tenant"]' },
    ]);
    expect(await statuses(2, 'GET /', 'X-Tenant: a')).toEqual([200, 429]);
    const refused = await ask('GET /', 'X-Tenant: a');
    expect(refused.status).toBe(429);
    expect(headerValue(refused, 'ratelimit')).toBe('"all";r=2;t=20, "all-2";r=0;t=60');
    expect(await statuses(1, 'GET /', 'X-Tenant: b')).toEqual([200]);
    expect(await statuses(1, 'GET /', 'X-Tenant: c')).toEqual([200]);
    expect(await statuses(1, 'GET /', 'X-Tenant: d')).toEqual([429]);
    const told = await ask('GET /', 'X-Tenant: e');
    expect(headerValue(told, 'ratelimit-policy')).toBe('"all";q=3;w=60');
  });

  it('of one name share their counts between routes', async () => {
    const limit = { rate: '2/m', burst: 2, name: 'both' };
    await start(
      undefined,
      {},
      {
        routes: {
          a: { match: '/a', respond: {}, limit },
          b: { match: '/b', respond: {}, limit },
          c: { match: '/c', respond: {}, limit: { rate: '2/m', burst: 2 } },
        },
      },
    );
    expect([
      (await ask('GET /a')).status,
      (await ask('GET /b')).status,
      (await ask('GET /a')).status,
    ]).toEqual([200, 200, 429]);
    expect(await statuses(3, 'GET /c')).toEqual([200, 200, 429]);
  });
});

describe('what outlives a reload', () => {
  it('the counts of a limit that is left alone, and not those of one that is changed', async () => {
    await start({ rate: '1/m' });
    expect(await statuses(2)).toEqual([200, 429]);
    await gateway.reload(config({ rate: '1/m' }, { response: { headers: { set: { x: 'y' } } } }));
    expect(await statuses(1)).toEqual([429]);
    await gateway.reload(config([{ rate: '9/m', burst: 9 }, { rate: '1/m' }]));
    expect(await statuses(1)).toEqual([429]);
    await gateway.reload(config({ rate: '2/m' }));
    expect(await statuses(2)).toEqual([200, 429]);
  });
});

describe('limits that are judged in different phases', () => {
  it('count for none of them what one refuses', async () => {
    await start(
      [
        { rate: '3/m', burst: 3 },
        { rate: '1/m', per: 'auth.subject' },
      ],
      { auth: { with: 'keys' } },
      { auth: AUTH },
    );
    expect(await statuses(5, 'GET /', 'X-Api-Key: bob')).toEqual([200, 429, 429, 429, 429]);
    expect(await statuses(1, 'GET /', 'X-Api-Key: eve')).toEqual([200]);
  });
});

describe('on trial', () => {
  it('a limit is counted and logged once a second at most, with how often', async () => {
    const entries: [string, LogFields][] = [];
    const note = (message: string, fields: LogFields = {}) => void entries.push([message, fields]);
    const log: Logger = { info() {}, error() {}, warn: note, with: () => log };
    await start({ rate: '1/m', report: true }, {}, {}, log);
    await statuses(11);
    clock.advance(1000);
    await statuses(1);
    const said = 'a limit on trial would refuse requests';
    expect(entries.filter(([message]) => message === said)).toEqual([
      [said, { route: 'all', limit: 'all', count: 1 }],
      [said, { route: 'all', limit: 'all', count: 10 }],
    ]);
  });

  it('a rate that can not be worked out lets pass', async () => {
    await start({ rate: '{request.headers["x-rate"]}', report: true });
    expect(await statuses(2)).toEqual([200, 200]);
  });

  it('a limit lets pass what it would refuse, and says nothing to the client', async () => {
    await start({ rate: '1/m', report: true });
    const last = await ask().then(() => ask());
    expect(last.status).toBe(200);
    expect(headerValue(last, 'ratelimit')).toBeUndefined();
  });

  it('a rule lets pass what it would refuse, but nobody without a credential', async () => {
    await start(
      undefined,
      { auth: { with: 'keys', allow: '"pro" in auth.permissions', report: true } },
      { auth: AUTH },
    );
    expect((await ask('GET /', 'X-Api-Key: bob')).status).toBe(200);
    expect((await ask('GET /')).status).toBe(401);
  });
});

it('holds for what an aggregate asks of another route', async () => {
  await start(
    undefined,
    {},
    {
      routes: {
        part: { match: '/part', to: 'shop', limit: { rate: '1/m', per: '"all"' } },
        page: {
          match: '/page',
          aggregate: { calls: { a: { route: 'part', path: '/part', read: 'text', optional: true } } },
        },
      },
    },
  );
  const page = async () => JSON.parse((await ask('GET /page')).body.toString()) as unknown;
  expect([await page(), await page()]).toEqual([{ a: 'ok' }, { a: null }]);
  expect(service.requests).toHaveLength(1);
});

it('counts what an aggregate asks of another route for the client of the aggregate', async () => {
  await start(
    undefined,
    {},
    {
      routes: {
        part: { match: '/part', to: 'shop', limit: { rate: '1/m' } },
        page: {
          match: '/page',
          aggregate: { calls: { a: { route: 'part', path: '/part', read: 'text' } } },
        },
      },
    },
  );
  expect(await statuses(2, 'GET /page', from('10.0.0.1'))).toEqual([200, 502]);
  expect(await statuses(1, 'GET /page', from('10.0.0.2'))).toEqual([200]);
  expect(await statuses(1, 'GET /part', from('10.0.0.2'))).toEqual([429]);
});

it('says of hits of the cache, too, what is left', async () => {
  await start({ rate: '10/m', burst: 3 }, { cache: true });
  const left = [];
  for (let i = 0; i < 3; i++) left.push(headerValue(await ask(), 'ratelimit'));
  expect(left).toEqual(['"all";r=2;t=6', '"all";r=1;t=12', '"all";r=0;t=6']);
  expect(service.requests).toHaveLength(1);
});

it('says when to come again in whole seconds, never too early', async () => {
  await start({ rate: '40/m', burst: 1 });
  await ask();
  expect(headerValue(await ask(), 'retry-after')).toBe('2');
  clock.advance(1_400);
  expect(headerValue(await ask(), 'retry-after')).toBe('1');
  clock.advance(100);
  expect((await ask()).status).toBe(200);
});

it('what stands in the place of 429 is answered by the gateway itself', async () => {
  await start({ rate: '1/m' }, { onStatus: { 429: { respond: { status: 503, body: 'busy' } } } });
  await ask();
  const response = await ask();
  expect([response.status, response.body.toString()]).toEqual([503, 'busy']);
});

describe('a refusal by a limit', () => {
  it('is never handed to another service, even where one of the service is', async () => {
    await start({ rate: '1/m' }, { onStatus: { 429: { to: 'shop', from: 'service' } } });
    await ask();
    expect((await ask()).status).toBe(429);
    expect(service.requests).toHaveLength(1);
  });

  it('takes the shape of errors, and still says when to come again', async () => {
    await start({ rate: '5/15m' }, { errors: { body: '{"code": error.code, "status": error.status}' } });
    await ask();
    const response = await ask();
    expect(JSON.parse(response.body.toString())).toEqual({ code: 'TG_LIMIT_EXCEEDED', status: 429 });
    expect(headerValue(response, 'retry-after')).toBe('180');
    expect(headerValue(response, 'ratelimit')).toBe('"all";r=0;t=180');
  });

  it('holds for HEAD and upgrades as for GET', async () => {
    await start({ rate: '2/m', burst: 2 });
    expect(await statuses(1, 'HEAD /')).toEqual([200]);
    expect(await statuses(1)).toEqual([200]);
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    expect(await statuses(1, 'GET /', ...upgrade)).toEqual([429]);
    expect(await statuses(1, 'HEAD /')).toEqual([429]);
  });
});
