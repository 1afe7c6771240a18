import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValue, ManualClock, scriptedOrigin } from '../../src/testkit/index.ts';
import { bodyOf, header, json, replying, type Stage, stage } from './stage.ts';

type Lines = [string, string][];
const aged = (seconds: number, ...more: Lines): Lines => [['Cache-Control', `max-age=${seconds}`], ...more];

describe('an aggregate that is kept', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const calls = { a: { to: 'a', path: '/a' }, b: { to: 'b', path: '/b?{request.query.q}' } };
  const kept = (a: Lines, b: Lines, route: object, more: object = {}) => {
    const clock = new ManualClock();
    return stage(
      { a: json({ a: 1 }, 200, a), b: json({ b: 2 }, 200, b) },
      { calls: { ...calls, b: { to: 'b', path: '/b' } }, ...more },
      { clock, route },
    ).then((made) => {
      on = made;
      return { clock, asked: () => [made.asked('a').length, made.asked('b').length], ask: made.ask };
    });
  };

  it('is answered from memory, with an ETag over what was composed, and 304 to who has it', async () => {
    const { ask, asked } = await kept([], [], { cache: { ttl: '30s' } });
    const first = await ask();
    const second = await ask();
    expect(asked()).toEqual([1, 1]);
    expect(second.body.toString()).toBe('{"a":{"a":1},"b":{"b":2}}');
    expect(header(second, 'cache-status')).toMatch(/^tidegate; hit/);
    expect(header(first, 'etag')).toMatch(/^"[\w-]{22}"$/);
    expect(header(second, 'etag')).toBe(header(first, 'etag'));
    const third = await ask('GET /page/1', [`If-None-Match: ${header(first, 'etag')}`]);
    expect(third.status).toBe(304);
    expect(asked()).toEqual([1, 1]);
  });

  it('shows nobody what it says to the cache', async () => {
    const { ask } = await kept(aged(60, ['Surrogate-Key', 'x']), aged(60), {
      cache: { ttl: '30s', tags: ['t'] },
    });
    for (const response of [
      await ask(),
      await ask(),
      await ask('HEAD /page/1'),
      await ask('GET /page/1', ['Cache-Control: no-cache']),
    ]) {
      const names = response.headers.map(([name]) => name.toLowerCase());
      expect(names.filter((name) => /cache-control|surrogate|tidegate-aggregate/.test(name))).toEqual([]);
    }
  });

  it('lives as long as the part that lives shortest, age counted', async () => {
    const { ask, asked, clock } = await kept(aged(60, ['Age', '40']), aged(90), { cache: true });
    await ask();
    clock.advance(19_000);
    await ask();
    expect(asked()).toEqual([1, 1]);
    clock.advance(2_000);
    await ask();
    expect(asked()).toEqual([2, 2]);
  });

  it('may live for less than a second', async () => {
    const { ask, asked, clock } = await kept([], [], { cache: { ttl: '500ms' } });
    await ask();
    clock.advance(400);
    await ask();
    expect(asked()).toEqual([1, 1]);
    clock.advance(200);
    await ask();
    expect(asked()).toEqual([2, 2]);
  });

  it("lives as long as the route's ttl where a part says nothing, and not at all without one", async () => {
    const one = await kept([], aged(90), { cache: { ttl: '10s' } });
    await one.ask();
    one.clock.advance(9_000);
    await one.ask();
    expect(one.asked()).toEqual([1, 1]);
    one.clock.advance(2_000);
    await one.ask();
    expect(one.asked()).toEqual([2, 2]);
    await on!.close();
    const two = await kept([], aged(90), { cache: true });
    await two.ask();
    await two.ask();
    expect(two.asked()).toEqual([2, 2]);
  });

  it.each([
    ['no-store', [['Cache-Control', 'no-store']]],
    ['private', [['Cache-Control', 'private, max-age=60']]],
    ['Vary: *', aged(60, ['Vary', '*'])],
    ['Set-Cookie', aged(60, ['Set-Cookie', 'a=1'])],
  ] as [string, Lines][])('is not kept where a part has %s', async (_what, lines) => {
    const { ask, asked } = await kept(aged(60), lines, {
      cache: { ttl: '30s', ignore: ['no-store', 'private', 'vary'], setCookie: 'drop' },
    });
    await ask();
    await ask();
    expect(asked()).toEqual([2, 2]);
  });

  it('is not kept where it is partial, whatever the route says', async () => {
    on = await stage(
      { a: json({}), b: json({}, 500) },
      { calls: { a: { to: 'a', path: '/a' }, b: { to: 'b', path: '/b', optional: true } } },
      {
        route: { cache: { ttl: '30s', override: true, ignore: ['no-store'] } },
      },
    );
    expect(header(await on.ask(), 'tidegate-partial')).toBe('b');
    await on.ask();
    expect(on.asked('a').length).toBe(2);
  });

  it('is kept where a call was skipped', async () => {
    on = await stage(
      { a: json({}), b: json({}) },
      { calls: { a: { to: 'a', path: '/a' }, b: { to: 'b', path: '/b', when: 'false' } } },
      { route: { cache: { ttl: '30s' } } },
    );
    await on.ask();
    await on.ask();
    expect(on.asked('a').length).toBe(1);
  });

  it('is not kept where it sets a cookie itself', async () => {
    const { ask, asked } = await kept(
      [],
      [],
      { cache: { ttl: '30s' } },
      { headers: { 'set-cookie': 'a=1' } },
    );
    await ask();
    await ask();
    expect(asked()).toEqual([2, 2]);
  });

  it('keeps the answer of each path and query apart', async () => {
    on = await stage(
      { a: replying((target) => json({ target })) },
      { calls: { a: { to: 'a', path: '/a/{params["*"]}' } } },
      { route: { cache: { ttl: '30s' } } },
    );
    expect(bodyOf(await on.ask('GET /page/1'))).toEqual({ a: { target: '/a/1' } });
    expect(bodyOf(await on.ask('GET /page/2'))).toEqual({ a: { target: '/a/2' } });
    expect(bodyOf(await on.ask('GET /page/1'))).toEqual({ a: { target: '/a/1' } });
    expect(on.asked('a')).toEqual(['/a/1', '/a/2']);
  });

  it("never gives one client what was made with another one's header, cookie or language", async () => {
    on = await stage(
      {
        a: replying((target, { request }) =>
          json(
            { target, language: request.headers.find(([name]) => /language/i.test(name))?.[1] ?? '' },
            200,
            [['Vary', 'Accept-Language, Accept-Encoding']],
          ),
        ),
      },
      {
        calls: {
          a: { to: 'a', path: '/a?t={has(request.headers["x-tenant"]) ? request.headers["x-tenant"] : ""}' },
        },
      },
      { route: { cache: { ttl: '30s' } } },
    );
    const ask = async (...headers: string[]) =>
      (bodyOf(await on!.ask('GET /page/1', headers)) as { a: unknown }).a;
    expect(await ask('X-Tenant: one')).toEqual({ target: '/a?t=one', language: '' });
    expect(await ask('X-Tenant: two')).toEqual({ target: '/a?t=two', language: '' });
    expect(await ask('X-Tenant: two', 'Accept-Language: de')).toEqual({ target: '/a?t=two', language: 'de' });
    expect(await ask('X-Tenant: one')).toEqual({ target: '/a?t=one', language: '' });
    expect(on.asked('a').length).toBe(3);
    expect(header(await on.ask(), 'vary')).toBe('x-tenant, accept-language');
    await on.close();
    on = await stage(
      { a: json({}) },
      { calls: { a: { to: 'a', path: '/a?ip={request.ip}' } } },
      { route: { cache: { ttl: '30s' } } },
    );
    await on.ask();
    await on.ask();
    expect(on.asked('a').length).toBe(2);
  });

  it('is kept for who sends cookies, which no call carries, unless an expression looks at them', async () => {
    const { ask, asked } = await kept([], [], { cache: { ttl: '30s' } });
    for (const cookie of ['a=1', 'a=2']) await ask('GET /page/1', [`Cookie: ${cookie}`]);
    expect(asked()).toEqual([1, 1]);
    await on?.close();
    const looking = await kept(
      [],
      [],
      { cache: { ttl: '30s' } },
      { headers: { 'x-a': '{request.cookies.a}' } },
    );
    for (const cookie of ['a=1', 'a=2']) {
      const response = await looking.ask('GET /page/1', [`Cookie: ${cookie}`]);
      expect(header(response, 'x-a')).toBe(cookie.slice(2));
    }
    expect(looking.asked()).toEqual([2, 2]);
  });

  describe('is not kept where a route that it asks lets clients in by their address:', () => {
    const asks = (route: string) => ({ calls: { a: { route, path: `/${route}` } } });
    const inner = (auth: object) => ({ inner: { match: '/inner', to: { service: 'a', path: '/a' }, auth } });
    const office = { with: 'none', allow: 'inCidr(request.ip, ["10.0.0.0/8"])' };
    const cases: [string, Record<string, object>, string][] = [
      ['by its own rule', inner(office), 'inner'],
      [
        'by that of one which is asked in turn',
        { ...inner(office), mid: { match: '/mid', aggregate: asks('inner') } },
        'mid',
      ],
      [
        'by that of one which is kept itself',
        { ...inner(office), mid: { match: '/mid', aggregate: asks('inner'), cache: { ttl: '60s' } } },
        'mid',
      ],
    ];
    const statuses = async (routes: Record<string, object>, asked: string, more: object = {}) => {
      on = await stage({ a: json({ a: 1 }, 200, aged(60)) }, asks(asked), {
        route: { cache: { ttl: '60s', shared: true } },
        routes,
        more: {
          listen: [{ name: 'front', address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }],
          ...more,
        },
      });
      const from = async (ip: string) => (await on!.ask('GET /page/1', [`X-Forwarded-For: ${ip}`])).status;
      return [await from('10.1.1.1'), await from('192.168.1.1'), await from('10.1.1.1')];
    };

    it.each(cases)('%s', async (_what, routes, asked) => {
      expect(await statuses(routes, asked)).toEqual([200, 502, 200]);
    });

    it('by what a server says that is asked about each request (forward)', async () => {
      const server = await scriptedOrigin((exchange) => {
        const ip = headerValue(exchange.request, 'x-forwarded-for') ?? '';
        return exchange.send(answer(ip.startsWith('10.') ? 200 : 403));
      });
      try {
        const auth = { login: { forward: { url: `${server.url}/verify` } } };
        expect(await statuses(inner({ with: 'login' }), 'inner', { auth })).toEqual([200, 502, 200]);
      } finally {
        await server.close();
      }
    });

    it('by what a decision point says of it', async () => {
      const point = await scriptedOrigin(async (exchange) => {
        const asked = (await exchange.body()).toString();
        await exchange.send(json({ result: asked.includes('"ip":"10.') }));
      });
      try {
        const opa = { with: 'none', opa: { url: `${point.url}/v1/data/shop/allow` } };
        expect(await statuses(inner(opa), 'inner')).toEqual([200, 502, 200]);
      } finally {
        await point.close();
      }
    });
  });

  it('is kept for POST, too, where the body stands in its key', async () => {
    const cache = { ttl: '30s', methods: ['GET', 'POST'], key: { body: true } };
    const match = { path: '/page/{id}', method: ['GET', 'POST'] };
    const { ask, asked } = await kept([], [], { match, cache });
    for (const body of ['{"x":1}', '{"x":1}', '{"x":2}']) {
      await ask('POST /page/1', ['Content-Type: application/json'], body);
    }
    expect(asked()).toEqual([2, 2]);
  });

  it('is filled once for all who ask at the same time', async () => {
    const held: (() => void)[] = [];
    on = await stage(
      {
        a: async (exchange) => {
          await new Promise<void>((resolve) => held.push(resolve));
          await exchange.send(json({}));
        },
      },
      { calls: { a: { to: 'a', path: '/a' } } },
      { route: { cache: { ttl: '30s' } } },
    );
    const both = [on.ask(), on.ask()];
    await expect.poll(() => held.length).toBe(1);
    held[0]!();
    for (const response of both) expect((await response).status).toBe(200);
    expect(on.asked('a').length).toBe(1);
  });
});

describe('a call that is kept', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  it('is asked once for many aggregates, by what it asks for', async () => {
    on = await stage(
      { list: json([1, 2]), shop: replying((target) => json({ target })) },
      {
        calls: {
          list: { to: 'list', path: '/list' },
          parts: {
            each: 'list.body',
            to: 'shop',
            path: '/p/{item}',
            cache: { ttl: '1m', tags: ['part:{item}', 'list:{list.status}'] },
          },
        },
        body: 'parts.map(p, p.body.target)',
      },
    );
    for (let i = 0; i < 3; i++) expect(bodyOf(await on.ask())).toEqual(['/p/1', '/p/2']);
    expect(on.asked('list').length).toBe(3);
    expect(on.asked('shop').sort()).toEqual(['/p/1', '/p/2']);
  });

  it('counts its age where the whole is kept, too', async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: json({ a: 1 }) },
      { calls: { a: { to: 'a', path: '/a', cache: { ttl: '60s' } } } },
      {
        clock,
        route: { cache: { ttl: '50s' } },
        routes: { other: { match: '/other/*', aggregate: { calls: { a: { to: 'a', path: '/b' } } } } },
      },
    );
    await on.ask('GET /page/1');
    clock.advance(45_000);
    // Another aggregate, made of the part that is 45 s old and lives for 15 s more.
    await on.ask('GET /page/2');
    expect(on.asked('a').length).toBe(1);
    clock.advance(14_000);
    expect(header(await on.ask('GET /page/2'), 'cache-status')).toMatch(/hit/);
    clock.advance(2_000);
    expect(header(await on.ask('GET /page/2'), 'cache-status')).not.toMatch(/hit/);
    expect(on.asked('a').length).toBe(2);
  });

  it('counts its age where it is an aggregate that is kept itself', async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: json({ a: 1 }) },
      { calls: { inner: { route: 'inner', path: '/inner/1' } } },
      {
        clock,
        route: { cache: { ttl: '50s' } },
        routes: {
          inner: {
            match: '/inner/*',
            aggregate: { calls: { a: { to: 'a', path: '/a' } } },
            cache: { ttl: '60s' },
          },
        },
      },
    );
    await on.ask('GET /page/1');
    clock.advance(45_000);
    await on.ask('GET /page/2');
    expect(on.asked('a').length).toBe(1);
    clock.advance(14_000);
    expect(header(await on.ask('GET /page/2'), 'cache-status')).toMatch(/hit/);
    clock.advance(2_000);
    expect(header(await on.ask('GET /page/2'), 'cache-status')).not.toMatch(/hit/);
    expect(on.asked('a').length).toBe(2);
  });

  it('may vary by what the client asked with', async () => {
    on = await stage(
      { a: replying((_, { request }) => json(request.headers.length)) },
      { calls: { a: { to: 'a', path: '/a', cache: { ttl: '60s', vary: 'request.query.tenant' } } } },
    );
    await on.ask('GET /page/1?tenant=x');
    await on.ask('GET /page/1?tenant=y');
    await on.ask('GET /page/1?tenant=x');
    expect(on.asked('a').length).toBe(2);
    await on.ask('GET /page/1');
    await on.ask('GET /page/1?tenant=x&tenant=y');
    expect(on.asked('a').length).toBe(4);
  });

  it('is kept no longer than its service says', async () => {
    on = await stage(
      { a: json({}, 200, [['Cache-Control', 'no-store']]) },
      { calls: { a: { to: 'a', path: '/a', cache: { ttl: '60s' } } } },
    );
    await on.ask();
    await on.ask();
    expect(on.asked('a').length).toBe(2);
  });

  it('is unseated by a call that changes what it asked for', async () => {
    on = await stage(
      { a: json({ a: 1 }) },
      { calls: { a: { to: 'a', path: '/a', cache: { ttl: '60s' } } } },
      {
        routes: {
          write: {
            match: { path: '/write', method: 'POST' },
            aggregate: { calls: { a: { to: 'a', path: '/a', method: 'POST' } } },
          },
        },
      },
    );
    await on.ask();
    await on.ask();
    expect(on.asked('a').length).toBe(1);
    expect((await on.ask('POST /write')).status).toBe(200);
    await on.ask();
    expect(on.asked('a').length).toBe(3);
  });
});
