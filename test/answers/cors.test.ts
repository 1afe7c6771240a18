import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../../src/testkit/index.ts';
import { header, json, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const APP = 'Origin: https://app.example.com';
const setUp = async (cors: object, more: object = {}) => {
  on = await stage(
    {
      shop: answer(
        200,
        [
          ['Access-Control-Allow-Origin', '*'],
          ['Vary', 'Accept'],
        ],
        'ok',
      ),
    },
    { routes: { shop: { match: '/shop/*', to: 'shop', cors }, ...more } },
  );
};
const LEAVE = {
  origins: [
    'https://app.example.com',
    'https://*.example.org',
    '~https://pr-[0-9]+\\.example\\.net',
    'http://[::1]:3000',
    'capacitor://localhost',
  ],
};
const ask = (method: string, origin = APP, headers: string[] = []) => [
  origin,
  `Access-Control-Request-Method: ${method}`,
  ...headers,
];

describe('CORS', () => {
  it('lets a page read that its upload is larger than the listener takes', async () => {
    const listen = [{ name: 'main', address: '127.0.0.1:0', limits: { body: '10B' } }];
    on = await stage(
      { shop: answer(200, [], 'ok') },
      {
        listen,
        routes: {
          shop: { match: '/shop/*', to: 'shop', cors: LEAVE, errors: { body: '{"code": error.code}' } },
        },
      },
    );
    const refused = await on.ask('POST /shop/x', [APP], 'x'.repeat(11));
    expect(refused.status).toBe(413);
    expect(header(refused, 'access-control-allow-origin')).toBe('https://app.example.com');
    expect(json(refused)).toEqual({ code: 'TG_REQUEST_BODY_TOO_LARGE' });
    expect((await on.ask('POST /other', [APP], 'x'.repeat(11))).status).toBe(413);
    expect((await on.ask('POST /shop/x', [APP], 'x'.repeat(10))).status).toBe(200);
  });

  it.each([
    ['https://app.example.com', true],
    ['https://APP.example.com', true],
    ['http://app.example.com', false],
    ['https://app.example.com.evil.test', false],
    ['https://a.example.org', true],
    ['https://a.b.example.org', true],
    ['https://example.org', false],
    ['https://evilexample.org', false],
    ['https://evil.test/.example.org', false],
    ['https://pr-7.example.net', true],
    ['https://pr-7.example.net.evil.test', false],
    ['http://[::1]:3000', true],
    ['capacitor://localhost', true],
    ['null', false],
  ])('%s has leave: %s', async (origin, allowed) => {
    await setUp(LEAVE);
    const response = await on.ask('GET /shop/x', [`Origin: ${origin}`]);
    expect(response.status).toBe(200);
    expect(header(response, 'access-control-allow-origin')).toBe(allowed ? origin : undefined);
    expect(header(response, 'vary')).toBe('Accept, Origin');
  });

  it("the service's own CORS headers are taken away, also where no leave is given", async () => {
    await setUp(LEAVE);
    expect(header(await on.ask('GET /shop/x'), 'access-control-allow-origin')).toBeUndefined();
  });

  it('a preflight is answered by the gateway and never reaches a service', async () => {
    await setUp({
      ...LEAVE,
      methods: ['GET', 'PUT'],
      headers: ['x-token'],
      maxAge: '10m',
      credentials: true,
    });
    const response = await on.ask(
      'OPTIONS /shop/x',
      ask('PUT', APP, ['Access-Control-Request-Headers: x-token']),
    );
    expect(response.status).toBe(204);
    expect(header(response, 'access-control-allow-origin')).toBe('https://app.example.com');
    expect(header(response, 'access-control-allow-methods')).toBe('GET, PUT');
    expect(header(response, 'access-control-allow-headers')).toBe('x-token');
    expect(header(response, 'access-control-allow-credentials')).toBe('true');
    expect(header(response, 'access-control-max-age')).toBe('600');
    expect(on.origins.shop!.requests).toEqual([]);
  });

  it('a preflight of another origin gets no leave, and never reaches a service either', async () => {
    await setUp(LEAVE);
    const response = await on.ask('OPTIONS /shop/x', ask('PUT', 'Origin: https://evil.test'));
    expect(response.headers.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
    expect(on.origins.shop!.requests).toEqual([]);
  });

  it('it is answered on the route that the announced method and headers would match', async () => {
    await setUp(LEAVE, {
      put: {
        match: { path: '/shop/*', method: 'PUT' },
        to: 'shop',
        cors: { origins: 'https://put.example' },
      },
      beta: { match: { path: '/shop/*', headers: { 'x-beta': 'on' } }, to: 'shop', cors: { origins: '*' } },
    });
    const put = await on.ask('OPTIONS /shop/x', ask('PUT', 'Origin: https://put.example'));
    expect(header(put, 'access-control-allow-origin')).toBe('https://put.example');
    const beta = await on.ask(
      'OPTIONS /shop/x',
      ask('GET', 'Origin: https://any.test', ['Access-Control-Request-Headers: X-Beta']),
    );
    expect(header(beta, 'access-control-allow-origin')).toBe('*');
  });

  it('OPTIONS that is no preflight goes on as any request', async () => {
    await setUp(LEAVE);
    expect((await on.ask('OPTIONS /shop/x', [APP])).status).toBe(200);
    expect(on.origins.shop!.requests.length).toBe(1);
  });

  it("the gateway's own errors carry the leave", async () => {
    on = await stage(
      {},
      {
        services: { gone: { url: 'http://127.0.0.1:1' } },
        routes: { gone: { match: '/*', to: 'gone', cors: LEAVE } },
      },
    );
    const response = await on.ask('GET /x', [APP]);
    expect([response.status, header(response, 'access-control-allow-origin')]).toEqual([
      502,
      'https://app.example.com',
    ]);
  });

  it('exposed headers are named to those who have leave', async () => {
    await setUp({ ...LEAVE, expose: ['x-total', 'etag'] });
    expect(header(await on.ask('GET /shop/x', [APP]), 'access-control-expose-headers')).toBe('x-total, etag');
  });

  it('a preflight never reaches a service of a route that speaks of CORS, whatever it announces', async () => {
    await setUp(LEAVE, { put: { match: { path: '/shop/*', method: 'PUT' }, to: 'shop' } });
    const response = await on.ask('OPTIONS /shop/x', ask('PUT'));
    expect(response.status).toBe(204);
    expect(response.headers.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
    expect(on.origins.shop!.requests).toEqual([]);
  });

  it('where no route speaks of CORS, preflights are for the service', async () => {
    on = await stage({ shop: answer(200, [], 'mine') }, { routes: { shop: { match: '/*', to: 'shop' } } });
    expect((await on.ask('OPTIONS /x', ask('PUT'))).body.toString()).toBe('mine');
  });

  it("'*' and silence allow the methods and headers that are asked for, with credentials too", async () => {
    await setUp({ ...LEAVE, methods: '*', credentials: true });
    const response = await on.ask(
      'OPTIONS /shop/x',
      ask('DELETE', APP, ['Access-Control-Request-Headers: authorization,x-a']),
    );
    expect(header(response, 'access-control-allow-methods')).toBe('DELETE');
    expect(header(response, 'access-control-allow-headers')).toBe('authorization, x-a');
  });

  it('transforms hold for preflights, and take nothing of the leave away', async () => {
    on = await stage(
      { shop: answer(200, [['X-Inner', '1']], 'ok') },
      {
        defaults: {
          cors: LEAVE,
          response: { headers: { only: ['content-type'], set: { 'x-frame-options': 'DENY' } } },
        },
        routes: { shop: { match: '/shop/*', to: 'shop' } },
      },
    );
    for (const response of [
      await on.ask('OPTIONS /shop/x', ask('PUT')),
      await on.ask('GET /shop/x', [APP]),
      await on.ask('GET /nowhere', [APP]),
    ]) {
      expect(header(response, 'x-frame-options')).toBe('DENY');
      expect(header(response, 'access-control-allow-origin')).toBe('https://app.example.com');
      expect(header(response, 'vary')).toMatch(/^Origin/);
      expect(header(response, 'x-inner')).toBeUndefined();
    }
  });

  it("a route's own replaces the one of defaults, none takes it away", async () => {
    on = await stage(
      { shop: answer(200, [['Access-Control-Allow-Origin', 'https://service.test']], 'ok') },
      {
        defaults: { cors: LEAVE },
        routes: {
          own: { match: '/own', to: 'shop', cors: { origins: 'https://own.test' } },
          none: { match: '/none', to: 'shop', cors: 'none' },
        },
      },
    );
    expect(header(await on.ask('GET /own', [APP]), 'access-control-allow-origin')).toBeUndefined();
    const none = await on.ask('GET /none', [APP]);
    expect(header(none, 'access-control-allow-origin')).toBe('https://service.test');
    expect(header(none, 'vary')).toBeUndefined();
  });

  it("any origin gets '*', never its own name", async () => {
    await setUp({ origins: '*' });
    const response = await on.ask('GET /shop/x', [APP]);
    expect([header(response, 'access-control-allow-origin'), header(response, 'vary')]).toEqual([
      '*',
      'Accept, Origin',
    ]);
  });

  it('two Origin lines have no leave', async () => {
    await setUp(LEAVE);
    const response = await on.ask('GET /shop/x', [APP, 'Origin: https://evil.test']);
    expect(header(response, 'access-control-allow-origin')).toBeUndefined();
  });
});
