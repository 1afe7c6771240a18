import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValues, rawClient } from '../../src/testkit/index.ts';
import { bodyOf, header, json, replying, type Stage, stage } from './stage.ts';

describe('the answer of an aggregate', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const calls = { a: { to: 'shop', path: '/a' }, b: { to: 'shop', path: '/b' } };
  const shop = replying((target) => json({ target }));

  it('has the status that is said, or that CEL yields', async () => {
    on = await stage({ shop }, { calls, status: 201 });
    expect((await on.ask()).status).toBe(201);
    await on.close();
    on = await stage({ shop }, { calls, status: 'a.body.target == "/a" ? 207 : 500' });
    expect((await on.ask()).status).toBe(207);
  });

  it.each([
    ['status', { status: 'a.body.missing' }],
    ['status', { status: 'a.status - 100' }],
    ['body', { body: 'a.body.missing' }],
    ['body', { body: '{"a": 0.0 / 0.0}' }],
  ])('is 500 where %s fails', async (_key, more) => {
    on = await stage({ shop }, { calls, ...more });
    const response = await on.ask();
    expect(response.status).toBe(500);
    expect(bodyOf(response)).toMatchObject({ code: 'TG_EXPRESSION_FAILED' });
  });

  it('has no content with 204', async () => {
    on = await stage({ shop }, { calls, status: 204 });
    const response = await on.ask();
    expect(response.status).toBe(204);
    expect(response.body.length).toBe(0);
    expect(header(response, 'content-type')).toBeUndefined();
  });

  it('has the headers that are said; those of the parts end at the gateway', async () => {
    on = await stage(
      {
        shop: answer(
          200,
          [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['X-Own', 'part'],
            ['Cache-Control', 'max-age=60'],
          ],
          '{}',
        ),
      },
      {
        calls: { login: { to: 'shop', path: '/a' } },
        headers: {
          'set-cookie': '{login.headers["set-cookie"]}',
          'x-age': '{login.headers["cache-control"]}',
          'x-none': '{login.headers.nothing}',
        },
      },
    );
    const response = await on.ask();
    expect(headerValues(response, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(header(response, 'x-age')).toBe('max-age=60');
    for (const name of ['x-own', 'cache-control', 'x-none']) expect(header(response, name)).toBeUndefined();
  });

  it('may have another content-type', async () => {
    on = await stage({ shop }, { calls, headers: { 'content-type': 'application/hal+json' } });
    expect(headerValues(await on.ask(), 'content-type')).toEqual(['application/hal+json']);
  });

  it('is given to HEAD too, without its body, asking the parts by GET', async () => {
    on = await stage({ shop }, { calls });
    const response = await on.ask('HEAD /page/1');
    expect(response.status).toBe(200);
    expect(header(response, 'content-length')).toBe('41');
    expect(response.body.length).toBe(0);
    expect(on.origins.shop!.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it('is for GET and HEAD alone, unless the match says otherwise', async () => {
    on = await stage({ shop }, { calls });
    const response = await on.ask('POST /page/1', [], '{}');
    expect(response.status).toBe(405);
    expect(header(response, 'allow')).toBe('GET, HEAD');
    expect(on.asked('shop')).toEqual([]);
  });

  it('shows each call in Server-Timing where that is asked for', async () => {
    on = await stage(
      { shop: replying((target) => json({}, target === '/c' ? 500 : 200)) },
      {
        calls: {
          ...calls,
          c: { to: 'shop', path: '/c', optional: true },
          d: { to: 'shop', path: '/d', when: 'false' },
        },
        timing: true,
      },
    );
    expect(header(await on.ask(), 'server-timing')).toMatch(
      /^a;dur=\d+\.\d, b;dur=\d+\.\d, c;dur=\d+\.\d;desc="status", d;desc="skipped"$/,
    );
  });

  it('shows them where it fails, too', async () => {
    on = await stage(
      { shop: json({}, 500) },
      { calls: { a: { to: 'shop', path: '/a' }, b: { to: 'shop', path: '/{a.body}' } }, timing: true },
    );
    expect(header(await on.ask(), 'server-timing')).toMatch(
      /^a;dur=\d+\.\d;desc="status", b;desc="not sent"$/,
    );
  });

  it('has the result of a skipped call as status 0 and its fallback or null, and is not partial', async () => {
    on = await stage(
      { shop },
      {
        calls: {
          a: { to: 'shop', path: '/a', when: 'false', fallback: [1] },
          b: { to: 'shop', path: '/b', when: 'request.headers.missing == "x"' },
        },
        body: '{"a": a.body, "as": a.status, "b": b.body, "h": size(b.headers)}',
      },
    );
    const response = await on.ask();
    expect(bodyOf(response)).toEqual({ a: [1], as: 0, b: null, h: 0 });
    expect(header(response, 'tidegate-partial')).toBeUndefined();
    expect(on.asked('shop')).toEqual([]);
  });

  it('may be composed of what CEL calls types', async () => {
    on = await stage(
      { shop },
      {
        calls: {
          list: { to: 'shop', path: '/list' },
          map: { to: 'shop', path: '/map' },
          type: { to: 'shop', path: '/t' },
        },
        body: '[list.body.target, map.body.target, type.status]',
      },
    );
    expect(bodyOf(await on.ask())).toEqual(['/list', '/map', 200]);
  });

  it('may mix types in its lists and maps', async () => {
    on = await stage(
      { shop },
      { calls, body: '{"a": [1, "two", 3.5, null, a.body], "b": true ? b.body : null}' },
    );
    expect(bodyOf(await on.ask())).toEqual({
      a: [1, 'two', 3.5, null, { target: '/a' }],
      b: { target: '/b' },
    });
  });

  it('passes the transforms, errors and onStatus of its route', async () => {
    on = await stage(
      { shop: json({}, 500) },
      { calls },
      {
        route: { errors: { body: '{"code": error.code}' }, response: { headers: { set: { 'x-a': '1' } } } },
      },
    );
    const response = await on.ask();
    expect(bodyOf(response)).toEqual({ code: 'TG_CALL_FAILED' });
    expect(header(response, 'x-a')).toBe('1');
    await on.close();
    on = await stage(
      { shop: json({}, 500) },
      { calls },
      { route: { onStatus: { 502: { respond: { json: { sorry: true } } } } } },
    );
    expect(bodyOf(await on.ask())).toEqual({ sorry: true });
  });

  it('may take a million steps to compose, and no more', async () => {
    const list = `[${Array.from({ length: 400 }, (_, i) => i).join(',')}]`;
    on = await stage(
      { shop: json(list) },
      {
        calls: { a: { to: 'shop', path: '/a' } },
        body: 'size(a.body.map(x, size(a.body.filter(y, y > x))))',
      },
    );
    expect(bodyOf(await on.ask())).toBe(400);
    await on.close();
    const long = `[${Array.from({ length: 2000 }, (_, i) => i).join(',')}]`;
    on = await stage(
      { shop: json(long) },
      {
        calls: { a: { to: 'shop', path: '/a' } },
        body: 'size(a.body.map(x, size(a.body.filter(y, y > x))))',
      },
    );
    expect(bodyOf(await on.ask())).toMatchObject({ code: 'TG_EXPRESSION_FAILED' });
  });

  it('is written in pieces, as fast as the client takes it', async () => {
    const megabyte = JSON.stringify('x'.repeat(1024 * 1024));
    on = await stage(
      { shop: json(megabyte) },
      { calls: { parts: { each: '[1,2,3,4,5,6,7,8]', to: 'shop', path: '/p/{item}' } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /page/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    const response = await client.response();
    client.close();
    expect(response.body.toString()).toBe(
      `{"parts":[${Array.from({ length: 8 }, () => megabyte).join(',')}]}`,
    );
  });
});

describe('a call that asks another route', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const inner = { match: { path: '/orders/{id:int}', headers: { 'x-inner': 'yes' } }, to: 'shop' };
  const ask = (call: object) => ({
    calls: { part: { route: 'inner', path: '/orders/7', headers: { 'x-inner': 'yes' }, ...call } },
  });

  it('is answered as a client would be, transforms included', async () => {
    on = await stage(
      { shop: replying((target) => json({ target })) },
      { ...ask({}), body: '{"body": part.body, "header": part.headers["x-b"]}' },
      {
        routes: {
          inner: {
            ...inner,
            request: { headers: { set: { 'x-a': '{params.id}' } } },
            response: { headers: { set: { 'x-b': 'b' } } },
          },
        },
      },
    );
    expect(bodyOf(await on.ask())).toEqual({ body: { target: '/orders/7' }, header: 'b' });
    const [request] = on.origins.shop!.requests;
    expect(headerValues(request!, 'x-a')).toEqual(['7']);
    expect(headerValues(request!, 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it.each([
    ['its path', { path: '/orders/x' }],
    ['its headers', { headers: {} }],
    ['its method', { method: 'POST' }],
  ])('fails where %s do not match that route, and nothing is sent', async (_what, call) => {
    on = await stage({ shop: json({}) }, ask(call), {
      routes: {
        inner: { ...inner, match: { ...inner.match, method: 'GET' } },
        rest: { match: '/*', to: 'shop' },
      },
    });
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'part', kind: 'expression' });
    expect(on.asked('shop')).toEqual([]);
  });

  it('never reaches through a route what a better matching one rules', async () => {
    on = await stage(
      { shop: json({}) },
      { calls: { part: { route: 'files', path: '/files/{params["*"]}' } } },
      {
        routes: {
          files: { match: '/files/*', to: 'shop' },
          secret: { match: '/files/secret/*', respond: { status: 403 } },
        },
      },
    );
    expect((await on.ask('GET /page/open/a')).status).toBe(200);
    expect(bodyOf(await on.ask('GET /page/secret/a'))).toMatchObject({ kind: 'expression' });
  });

  it('has the status that the route answers', async () => {
    on = await stage({ shop: json({}) }, ask({ onError: 'pass' }), {
      routes: { inner: { match: inner.match, respond: { status: 418, json: { tea: true } } } },
    });
    const response = await on.ask();
    expect(response.status).toBe(418);
    expect(bodyOf(response)).toEqual({ tea: true });
  });

  it('ends with the timeout of the call, or when the client leaves', async () => {
    on = await stage({ shop: () => {} }, ask({ timeout: '60ms' }), { routes: { inner } });
    const response = await on.ask();
    expect(response.status).toBe(504);
    expect(bodyOf(response)).toMatchObject({ kind: 'timeout' });
    await on.origins.shop!.connections[0]!.closed();
    await on.close();
    on = await stage({ shop: () => {} }, ask({}), { routes: { inner } });
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /page/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await on.origins.shop!.nextHead();
    client.close();
    await on.origins.shop!.connections[0]!.closed();
  });

  it('may ask another aggregate, and the failure of that one is a status', async () => {
    on = await stage(
      { shop: json({ a: 1 }), down: json({}, 500) },
      {
        calls: {
          good: { route: 'good', path: '/good' },
          bad: {
            route: 'bad',
            path: '/bad',
            onError: 'error.status == 502 && error.kind == "status" ? "null" : "fail"',
          },
        },
      },
      {
        routes: {
          good: { match: '/good', aggregate: { calls: { x: { to: 'shop', path: '/x' } } } },
          bad: { match: '/bad', aggregate: { calls: { x: { to: 'down', path: '/x' } } } },
        },
      },
    );
    expect(bodyOf(await on.ask())).toEqual({ good: { x: { a: 1 } }, bad: null });
  });
});
