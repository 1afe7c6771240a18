import { afterEach, describe, expect, it } from 'vitest';
import { headerValue, headerValues } from '../../src/testkit/index.ts';
import { bodyOf, json, replying, type Stage, stage } from './stage.ts';

describe('the request of a call', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const one = (call: object) => ({ calls: { part: { to: 'shop', path: '/part', ...call } } });

  it("carries the client's language, trace and id, what the gateway says of it, and nothing else of it", async () => {
    on = await stage({ shop: json({}) }, one({}));
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await on.ask('GET /page/1?secret=yes', [
      'Accept-Language: de',
      `traceparent: ${trace}`,
      'tracestate: a=1',
      'x-request-id: abc',
      'Authorization: Bearer abc',
      'Cookie: a=1',
      'User-Agent: test',
      'Accept: text/html',
      'X-Custom: 1',
      'X-Forwarded-For: 6.6.6.6',
      'X-Auth-Subject: root',
      'Forwarded: for=6.6.6.6',
      'If-None-Match: "a"',
      'Range: bytes=0-1',
      'Accept-Encoding: gzip',
      'TE: trailers',
    ]);
    const [request] = on.origins.shop!.requests;
    expect(request!.target).toBe('/part');
    const names = request!.headers.map(([name]) => name.toLowerCase()).sort();
    expect(names).toEqual(
      [
        'accept-language',
        'host',
        'traceparent',
        'tracestate',
        'via',
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-request-id',
      ].sort(),
    );
    expect(headerValue(request!, 'traceparent')).toBe(trace);
    expect(headerValue(request!, 'x-request-id')).toBe('abc');
    expect(headerValue(request!, 'x-forwarded-for')).toBe('127.0.0.1');
  });

  it('replaces an invalid traceparent, by the same one for all calls, and drops its tracestate', async () => {
    on = await stage(
      { shop: json({}) },
      { calls: { a: { to: 'shop', path: '/a' }, b: { to: 'shop', path: '/b' } } },
    );
    await on.ask('GET /page/1', ['tracestate: a=1', 'traceparent: nonsense']);
    const traces = on.origins.shop!.requests.map((request) => headerValue(request, 'traceparent'));
    expect(traces[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(traces[1]).toBe(traces[0]);
    expect(headerValue(on.origins.shop!.requests[0]!, 'tracestate')).toBeUndefined();
  });

  it('carries what its headers say: a list makes several lines, an empty value none', async () => {
    on = await stage(
      { shop: json({}) },
      one({
        headers: {
          authorization: '{request.headers.authorization}',
          'x-list': '{["a", "b"]}',
          'x-empty': '{""}',
          'x-two': ['1', '{params["*"]}'],
          accept: 'application/json',
        },
      }),
    );
    await on.ask('GET /page/7', ['Authorization: Bearer abc']);
    const [request] = on.origins.shop!.requests;
    expect(headerValue(request!, 'authorization')).toBe('Bearer abc');
    expect(headerValues(request!, 'x-list')).toEqual(['a', 'b']);
    expect(headerValues(request!, 'x-empty')).toEqual([]);
    expect(headerValues(request!, 'x-two')).toEqual(['1', '7']);
    expect(headerValue(request!, 'accept')).toBe('application/json');
  });

  it('carries a header as on a route: left out where the client sent nothing for it, in UTF-8 where it must', async () => {
    const headers = {
      authorization: '{request.headers.authorization}',
      'x-who': '{auth.subject}',
      'x-both': '{request.query.a}-{request.query.b}',
      'x-euro': '{request.query.a}',
    };
    on = await stage({ shop: json({}) }, one({ headers }));
    expect((await on.ask('GET /page/7?a=%E2%82%AC')).status).toBe(200);
    const [request] = on.origins.shop!.requests;
    for (const name of ['authorization', 'x-who', 'x-both']) expect(headerValues(request!, name)).toEqual([]);
    expect(Buffer.from(headerValue(request!, 'x-euro')!, 'latin1').toString()).toBe('€');
  });

  it('is never sent without a header that another call should have given', async () => {
    on = await stage(
      { login: json({}), shop: json({}) },
      {
        calls: {
          login: { to: 'login', path: '/login' },
          part: { to: 'shop', path: '/', headers: { authorization: 'Bearer {login.body.token}' } },
        },
      },
    );
    expect(bodyOf(await on.ask())).toMatchObject({ call: 'part', kind: 'expression' });
    expect(on.asked('shop')).toEqual([]);
  });

  it("is changed by the service's and the route's transforms, but for the headers that the call names itself", async () => {
    on = await stage({ shop: json({}) }, one({ headers: { 'x-b': 'call' } }), {
      services: {
        shop: {
          request: {
            headers: { set: { 'x-a': 'service', 'x-b': 'service', 'x-who': '{request.headers["x-me"]}' } },
          },
        },
      },
      route: { request: { headers: { set: { 'x-b': 'route', 'x-c': 'route' }, only: ['accept'] } } },
    });
    await on.ask('GET /page/1', ['x-me: you', 'accept-language: de']);
    const [request] = on.origins.shop!.requests;
    const told = ['x-a', 'x-b', 'x-c', 'x-who', 'accept-language'].map((name) =>
      headerValues(request!, name),
    );
    expect(told).toEqual([['service'], ['call'], ['route'], ['you'], ['de']]);
  });

  it('asks for the path of the client, without its query, where no path is said', async () => {
    on = await stage({ shop: json({}) }, { calls: { part: { to: 'shop' } } });
    await on.ask('GET /page/a%20b?x=1');
    expect(on.asked('shop')).toEqual(['/page/a%20b']);
  });

  it('takes over the rest of the path where its own ends in /*', async () => {
    on = await stage({ shop: json({}) }, one({ path: '/api/*' }));
    await on.ask('GET /page/a%2Fb/c?x=1');
    expect(on.asked('shop')).toEqual(['/api/a%2Fb/c']);
  });

  it('fills values into path and query encoded, one segment each', async () => {
    on = await stage(
      { shop: [json({ id: 'a/b?c', q: 'x&y=z' }), json({})] },
      {
        calls: {
          first: { to: 'shop', path: '/first' },
          part: { to: 'shop', path: '/p/{first.body.id}?q={first.body.q}' },
        },
      },
    );
    await on.ask();
    expect(on.asked('shop')).toEqual(['/first', '/p/a%2Fb%3Fc?q=x%26y%3Dz']);
  });

  it.each(['..', '.', ''])(
    'is never sent where an answer would make the segment %j of its path',
    async (id) => {
      on = await stage(
        { shop: json({ id }) },
        {
          calls: { first: { to: 'shop', path: '/first' }, part: { to: 'shop', path: '/p/{first.body.id}' } },
        },
      );
      const response = await on.ask();
      expect(response.status).toBe(502);
      expect(bodyOf(response)).toMatchObject({ call: 'part', kind: 'expression' });
      expect(on.asked('shop')).toEqual(['/first']);
    },
  );

  it('is 400 where the request itself would make a segment empty, . or ..', async () => {
    on = await stage({ shop: json({}) }, one({ path: '/p/{request.query.id}', optional: true }));
    const response = await on.ask('GET /page/1?id=..');
    expect(response.status).toBe(400);
    expect(bodyOf(response)).toMatchObject({ code: 'TG_REQUEST_VALUE' });
    expect(on.asked('shop')).toEqual([]);
  });

  it('is never sent with a header that could not be one', async () => {
    on = await stage({ shop: json({}) }, one({ headers: { 'x-a': '{request.query.a}' } }));
    const response = await on.ask('GET /page/1?a=1%0d%0ax-evil:%201');
    expect(response.status).toBe(502);
    expect(bodyOf(response)).toMatchObject({ kind: 'expression' });
    expect(on.asked('shop')).toEqual([]);
  });

  it('sends the Host that the route or the service says', async () => {
    on = await stage({ shop: json({}) }, one({}), { services: { shop: { host: 'inner.example' } } });
    await on.ask();
    expect(headerValue(on.origins.shop!.requests[0]!, 'host')).toBe('inner.example');
  });

  it('has a body of JSON in which integers keep all their digits, and parts their bytes', async () => {
    on = await stage(
      {
        shop: replying((target) =>
          target === '/first' ? json('{"n": 1.50, "big": 123456789012345678901}') : json({}),
        ),
      },
      {
        calls: {
          first: { to: 'shop', path: '/first' },
          part: {
            to: 'shop',
            path: '/part',
            method: 'PUT',
            body: '{"whole": first.body, "big": first.body.big + 1 - 1, "by": request.method}',
          },
        },
      },
    );
    expect((await on.ask()).status).toBe(502);
    await on.close();
    on = await stage(
      {
        shop: replying((target) =>
          target === '/first' ? json('{"n": 1.50, "big": 12345678901234567}') : json({}),
        ),
      },
      {
        calls: {
          first: { to: 'shop', path: '/first' },
          part: {
            to: 'shop',
            path: '/part',
            method: 'PUT',
            body: '{"whole": first.body, "big": first.body.big, "by": request.method}',
          },
        },
      },
    );
    expect((await on.ask()).status).toBe(200);
    const request = on.origins.shop!.requests[1]!;
    expect(request.method).toBe('PUT');
    expect(headerValue(request, 'content-type')).toBe('application/json');
    expect(request.body.toString()).toBe(
      '{"whole":{"n": 1.50, "big": 12345678901234567},"big":12345678901234567,"by":"GET"}',
    );
  });

  it('keeps its own content-type', async () => {
    on = await stage(
      { shop: json({}) },
      one({ method: 'POST', body: '[1]', headers: { 'content-type': 'application/x+json' } }),
    );
    await on.ask();
    expect(headerValues(on.origins.shop!.requests[0]!, 'content-type')).toEqual(['application/x+json']);
  });

  describe('made of the body of the client', () => {
    const copy = one({ method: 'POST', body: 'request.body' });
    const post = { route: { match: { path: '/page/*', method: 'POST' } } };

    it.each(['{"a":1', '{"a":1,"a":2}', 'nothing', ''])('%j is 400, and nothing is sent', async (body) => {
      on = await stage({ shop: json({}) }, copy, post);
      const response = await on.ask('POST /page/1', [], body);
      expect(response.status).toBe(400);
      expect(bodyOf(response)).toMatchObject({ code: 'TG_REQUEST_BODY_JSON' });
      expect(on.asked('shop')).toEqual([]);
    });

    it.each<[string, object, string]>([
      ['each', { each: 'request.body.ids', path: '/{item}' }, '[{"n":1}]'],
      ['when', { when: 'request.body.ids == [7]', path: '/7' }, '{"n":1}'],
      [
        'batch.key',
        {
          each: '[1]',
          batch: { key: 'request.body.ids[0]', parts: '[1]', partKey: '7' },
          path: '/{items[0]}',
        },
        '[1]',
      ],
      ['fallback', { path: '/no', optional: true, fallback: 'request.body.ids' }, '[7]'],
      ['onError', { path: '/no', onError: 'request.body.ids == [7] ? "null" : "fail"' }, 'null'],
    ])('is read where %s alone looks into it', async (_key, call, part) => {
      on = await stage(
        {
          shop: (exchange) => exchange.send(json({ n: 1 }, exchange.request.target === '/no' ? 500 : 200)),
        },
        { calls: { it: { to: 'shop', ...call } } },
        post,
      );
      const response = await on.ask('POST /page/1', [], '{"ids":[7]}');
      expect(response.body.toString()).toBe(`{"it":${part}}`);
    });

    it('is read where only what undoes a call looks into it', async () => {
      on = await stage(
        { shop: (exchange) => exchange.send(json({}, exchange.request.target === '/last' ? 500 : 200)) },
        {
          calls: {
            first: {
              to: 'shop',
              path: '/first',
              method: 'POST',
              compensate: { to: 'shop', path: '/undo', body: 'request.body.id' },
            },
            last: { to: 'shop', path: '/last', method: 'POST' },
          },
        },
        post,
      );
      await on.ask('POST /page/1', [], '{"id":7}');
      expect(on.asked('shop')).toEqual(['/first', '/last', '/undo']);
      expect(on.origins.shop!.requests[2]!.body.toString()).toBe('7');
    });

    it('is 400 where each goes through it and there is none', async () => {
      on = await stage({ shop: json({}) }, one({ each: 'request.body.ids', path: '/{item}' }), post);
      const response = await on.ask('POST /page/1');
      expect(bodyOf(response)).toMatchObject({ status: 400, code: 'TG_REQUEST_BODY_JSON' });
    });

    it('is read up to maxBody', async () => {
      on = await stage({ shop: json({}) }, copy, { route: { ...post.route, maxBody: '10B' } });
      expect((await on.ask('POST /page/1', [], '{"a":"0123456789"}')).status).toBe(413);
      expect((await on.ask('POST /page/1', [], '{"a":1}')).status).toBe(200);
    });
  });

  it('goes to one of several services by weight', async () => {
    on = await stage(
      { a: json('"a"'), b: json('"b"'), c: json('"c"') },
      {
        calls: {
          part: {
            each: '[1, 2, 3, 4]',
            to: [{ service: 'a', weight: 3 }, 'b', { service: 'c', weight: 0 }],
            path: '/{item}',
          },
        },
      },
    );
    const { part } = bodyOf(await on.ask()) as { part: string[] };
    expect(part.toSorted()).toEqual(['a', 'a', 'a', 'b']);
  });

  it('is not held up by a body of the client that no call is sent', async () => {
    on = await stage({ shop: json({}) }, one({}), { route: { match: { path: '/page/*', method: 'POST' } } });
    const body = 'x'.repeat(300_000);
    expect((await on.ask('POST /page/1', [], body)).status).toBe(200);
  });

  it('may be written as a function in code', async () => {
    on = await stage(
      { shop: [json({ id: 5, items: [1, 2] }), json({ ok: true })] },
      {
        calls: {
          first: { to: 'shop', path: '/first' },
          part: {
            to: 'shop',
            path: ({ first }: { first: { body: { id: number } } }) => `/p/${first.body.id}`,
            when: ({ first }: { first: { status: number } }) => first.status === 200,
          },
        },
        body: ({ first, part }: Record<string, { body: unknown }>) => ({
          first: first!.body,
          part: part!.body,
        }),
      },
    );
    expect(bodyOf(await on.ask())).toEqual({ first: { id: 5, items: [1, 2] }, part: { ok: true } });
    expect(on.asked('shop')).toEqual(['/first', '/p/5']);
  });
});
