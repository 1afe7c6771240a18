import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, rawClient, type Script, until } from '../../src/testkit/index.ts';
import { bodyOf, header, json, replying, type Stage, stage } from './stage.ts';

const HANG: Script = () => {};

describe('the time of an aggregate', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());

  const asked = (service: string, count = 1) =>
    until(() => on!.origins[service]!.requests.length === count, `${service} is asked ${count} times`);

  it('runs calls beside each other where none names another', async () => {
    on = await stage(
      { a: HANG, b: HANG },
      { calls: { x: { to: 'a', path: '/x' }, y: { to: 'b', path: '/y' } } },
    );
    void on.ask().catch(() => {});
    await Promise.all([asked('a'), asked('b')]);
  });

  it('at its deadline optional calls fail, and the rest is answered', async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: json({ a: 1 }), b: HANG },
      {
        calls: {
          x: { to: 'a', path: '/x' },
          y: { to: 'b', path: '/y?{x.status}', optional: true },
          z: { to: 'a', path: '/{y.body.id}', optional: true, fallback: '"z"' },
        },
        deadline: '2s',
      },
      { clock },
    );
    const response = on.ask();
    await asked('b');
    await asked('a');
    clock.advance(2000);
    expect(bodyOf(await response)).toEqual({ x: { a: 1 }, y: null, z: 'z' });
    expect(header(await response, 'tidegate-partial')).toBe('y, z');
    await on.origins.b!.connections[0]!.closed();
    expect(on.asked('a')).toEqual(['/x']);
  });

  it('at its deadline it is 504 where a required call is not there', async () => {
    const clock = new ManualClock();
    on = await stage({ a: HANG }, { calls: { x: { to: 'a', path: '/x' } }, deadline: '2s' }, { clock });
    const response = on.ask();
    await asked('a');
    clock.advance(2000);
    expect((await response).status).toBe(504);
    expect(bodyOf(await response)).toMatchObject({ code: 'TG_CALL_TIMEOUT', call: 'x', kind: 'timeout' });
    await on.origins.a!.connections[0]!.closed();
    expect(clock.pending).toBeLessThan(5);
  });

  it('a call skipped by its condition is no failure after the deadline either', async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: HANG },
      {
        calls: {
          x: { to: 'a', path: '/x', optional: true },
          y: { to: 'a', path: '/y', when: 'x.status == 200' },
        },
        deadline: '1s',
      },
      { clock },
    );
    const response = on.ask();
    await asked('a');
    clock.advance(1000);
    expect((await response).status).toBe(200);
    expect(header(await response, 'tidegate-partial')).toBe('x');
  });

  it("counts a call's timeout to the end of its body", async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: async (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{') },
      { calls: { x: { to: 'a', path: '/x', timeout: '2s' } } },
      { clock },
    );
    const response = on.ask();
    await asked('a');
    clock.advance(1999);
    clock.advance(1);
    expect((await response).status).toBe(504);
    expect(bodyOf(await response)).toMatchObject({ kind: 'timeout' });
  });

  it("counts a call's timeout from sending, not from waiting for a place", async () => {
    const clock = new ManualClock();
    const held: (() => void)[] = [];
    const a: Script = async (exchange) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await exchange.send(json({}));
    };
    on = await stage(
      { a },
      { calls: { x: { to: 'a', path: '/x', timeout: '2s' }, y: { to: 'a', path: '/y', timeout: '2s' } } },
      { clock, services: { a: { breaker: { maxRequests: 1 } } } },
    );
    const response = on.ask();
    await until(() => held.length === 1, 'the first is asked');
    clock.advance(1500);
    held[0]!();
    await until(() => held.length === 2, 'the second is asked');
    clock.advance(1500);
    held[1]!();
    expect((await response).status).toBe(200);
  });

  it("takes the service's timeout where the call says none", async () => {
    const clock = new ManualClock();
    on = await stage(
      { a: HANG },
      { calls: { x: { to: 'a', path: '/x' } } },
      { clock, services: { a: { timeout: '3s' } } },
    );
    const response = on.ask();
    await asked('a');
    clock.advance(3000);
    expect((await response).status).toBe(504);
  });

  it('ends the siblings of a required call that fails at once, and answers without waiting for them', async () => {
    on = await stage(
      { a: HANG, b: json({}, 500) },
      { calls: { x: { to: 'a', path: '/x' }, y: { to: 'b', path: '/y' } } },
    );
    const response = await on.ask();
    expect(bodyOf(response)).toMatchObject({ call: 'y' });
    await asked('a');
    expect(await on.origins.a!.connections[0]!.closed()).toBeDefined();
  });

  it("ends all calls when the client leaves, those that wait for a service's place too", async () => {
    on = await stage(
      { a: HANG, b: async (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{') },
      { calls: { x: { each: '[1, 2, 3]', to: 'a', path: '/{item}' }, y: { to: 'b', path: '/y' } } },
      { services: { a: { breaker: { maxRequests: 2 } } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /page/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await asked('a', 2);
    await asked('b');
    client.close();
    for (const service of ['a', 'b'])
      for (const connection of on.origins[service]!.connections) await connection.closed();
    // The places are free again.
    on.origins.a!.answerWith(json({}));
    on.origins.b!.answerWith(json({}));
    expect((await on.ask()).status).toBe(200);
    expect(on.origins.a!.requests.length).toBe(5);
  });

  it('ends all calls when the client leaves after a body that no call is sent', async () => {
    on = await stage(
      { a: HANG },
      { calls: { x: { to: 'a', path: '/x' } } },
      { route: { match: { path: '/page/*', method: 'POST' } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send(
      `POST /page/1 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
    );
    await asked('a');
    client.close();
    await on.origins.a!.connections[0]!.closed();
  });

  it('tries a call again as its retries say, in place of those of the service', async () => {
    const twice = [json({}, 503), json({ ok: 1 })];
    on = await stage(
      { a: twice },
      { calls: { x: { to: 'a', path: '/x', retries: { attempts: 1, on: [503] } } } },
      { services: { a: { retries: 'none' } } },
    );
    expect(bodyOf(await on.ask())).toEqual({ x: { ok: 1 } });
    on.origins.a!.answerWith(twice);
    await on.close();
    on = await stage(
      { a: twice },
      { calls: { x: { to: 'a', path: '/x', retries: 'none' } } },
      { services: { a: { retries: { on: [503] } } } },
    );
    expect((await on.ask()).status).toBe(502);
  });

  it('does not hold a connection for an answer that nobody reads to its end', async () => {
    on = await stage(
      { a: replying((target) => json({ target }, target === '/x' ? 404 : 200)) },
      { calls: { x: { to: 'a', path: '/x', optional: true }, y: { to: 'a', path: '/y?{x.status}' } } },
    );
    for (let i = 0; i < 5; i++) expect((await on.ask()).status).toBe(200);
    // Both calls, five times over, on the one connection that was kept.
    expect(on.origins.a!.connections.length).toBe(1);
  });
});

describe('what changes something', () => {
  let on: Stage | undefined;
  afterEach(() => on?.close());
  const post = (path: string, more: object = {}) => ({
    to: 'shop',
    path,
    method: 'POST',
    body: '{}',
    ...more,
  });
  const undo = (path: string, more: object = {}) => ({
    compensate: { to: 'shop', path, method: 'DELETE', ...more },
  });
  const lines = () => on!.origins.shop!.requests.map(({ method, target }) => `${method} ${target}`);
  const route = { match: { path: '/page/*', method: ['GET', 'POST'] } };

  it('runs in the order of the file', async () => {
    on = await stage(
      { shop: json({ id: 1 }) },
      {
        calls: {
          a: post('/a'),
          b: post('/b'),
          look: { to: 'shop', path: '/look?{b.status}' },
          c: post('/c'),
        },
      },
    );
    await on.ask();
    expect(lines().filter((line) => line.startsWith('POST'))).toEqual(['POST /a', 'POST /b', 'POST /c']);
  });

  it('is undone, the last first, where a later call fails, and the answer waits and tells of it', async () => {
    on = await stage(
      {
        shop: replying((target, { request }) =>
          json(
            { id: target.length },
            request.method === 'POST' && target === '/ccc' ? 500 : request.target === '/undo/a/2' ? 409 : 200,
          ),
        ),
      },
      {
        calls: {
          a: post('/a', undo('/undo/a/{a.body.id}')),
          b: post('/bb', undo('/undo/b/{response.body.id}/{a.body.id}', { headers: { 'x-why': 'undo' } })),
          c: post('/ccc', undo('/undo/c')),
        },
      },
      { route },
    );
    const response = await on.ask('POST /page/1');
    expect(response.status).toBe(502);
    expect(bodyOf(response)).toMatchObject({
      call: 'c',
      kind: 'status',
      compensated: ['b'],
      notCompensated: ['a'],
    });
    expect(lines()).toEqual(['POST /a', 'POST /bb', 'POST /ccc', 'DELETE /undo/b/3/2', 'DELETE /undo/a/2']);
  });

  it('is not undone where all succeed, or where what fails may fail', async () => {
    on = await stage(
      { shop: replying((_, { request }) => json({}, request.target === '/b' ? 500 : 200)) },
      { calls: { a: post('/a', undo('/undo')), b: post('/b', { optional: true }) } },
    );
    expect((await on.ask()).status).toBe(200);
    expect(lines()).toEqual(['POST /a', 'POST /b']);
  });

  it.each([
    ['body', { body: 'a.body.id' }],
    ['status', { status: 'a.body.code' }],
    ['status that is none', { status: '99' }],
  ])('is undone where all succeed, and the %s of the answer fails', async (_, answer) => {
    on = await stage(
      { shop: json({}) },
      { calls: { a: post('/a', undo('/undo-a')), b: post('/b', undo('/undo-b')) }, ...answer },
    );
    const response = await on.ask();
    expect(bodyOf(response)).toMatchObject({
      status: 500,
      code: 'TG_EXPRESSION_FAILED',
      compensated: ['b', 'a'],
      notCompensated: [],
    });
    expect(lines()).toEqual(['POST /a', 'POST /b', 'DELETE /undo-b', 'DELETE /undo-a']);
  });

  it('is undone for each item that succeeded', async () => {
    on = await stage(
      {
        shop: replying((target, { request }) =>
          json({ n: target }, request.method === 'POST' && target === '/p/3' ? 500 : 200),
        ),
      },
      { calls: { a: { each: '[1, 2, 3]', ...post('/p/{item}', undo('/undo/{item}')), concurrency: 1 } } },
    );
    expect(bodyOf(await on.ask())).toMatchObject({ compensated: ['a'], notCompensated: [] });
    expect(lines().slice(3)).toEqual(['DELETE /undo/2', 'DELETE /undo/1']);
  });

  it('is told of as not undone where it was cut off by a call that failed', async () => {
    const isUnderWay = Promise.withResolvers<void>();
    const shop: Script = async (exchange) => {
      await exchange.body();
      const { target } = exchange.request;
      if (target === '/a') isUnderWay.resolve();
      if (target === '/look') await isUnderWay.promise;
      if (target !== '/a') await exchange.send(json({}, target === '/look' ? 500 : 200));
    };
    on = await stage(
      { shop },
      {
        calls: {
          first: post('/first', undo('/undo')),
          a: post('/a', undo('/undo')),
          look: { to: 'shop', path: '/look' },
        },
      },
    );
    expect(bodyOf(await on.ask())).toMatchObject({
      call: 'look',
      compensated: ['first'],
      notCompensated: ['a'],
    });
    expect(lines().at(-1)).toBe('DELETE /undo');
  });

  it('is not called undone for all its items where one of them was cut off', async () => {
    const shop: Script = async (exchange) => {
      await exchange.body();
      const { target, method } = exchange.request;
      if (target === '/p/2') await until(() => lines().includes('POST /p/3'), 'the third is asked');
      if (target !== '/p/3')
        await exchange.send(json({}, method === 'POST' && target === '/p/2' ? 500 : 200));
    };
    on = await stage(
      { shop },
      { calls: { a: { each: '[1, 2, 3]', ...post('/p/{item}', undo('/undo/{item}')), concurrency: 2 } } },
    );
    expect(bodyOf(await on.ask())).toMatchObject({ compensated: [], notCompensated: ['a'] });
    expect(lines().at(-1)).toBe('DELETE /undo/1');
  });

  it('is undone by a body, by POST, and with its own time limit', async () => {
    const clock = new ManualClock();
    on = await stage(
      { shop: replying((target) => json({ id: 5 }, target === '/b' ? 500 : 200)), slow: HANG },
      {
        calls: {
          s: {
            to: 'shop',
            path: '/s',
            method: 'PUT',
            compensate: { to: 'slow', path: '/undo', timeout: '5s', body: '{"id": s.body.id}' },
          },
          b: post('/b'),
        },
        deadline: '1s',
      },
      { clock },
    );
    const response = on.ask();
    await until(() => on!.origins.slow!.requests.length === 1, 'it is being undone');
    clock.advance(4000);
    clock.advance(1000);
    expect(bodyOf(await response)).toMatchObject({ compensated: [], notCompensated: ['s'] });
    const [request] = on.origins.slow!.requests;
    expect([request!.method, request!.body.toString()]).toEqual(['POST', '{"id":5}']);
  });

  it('is undone where the client leaves before all is done, and where the deadline comes', async () => {
    const clock = new ManualClock();
    const shop: Script = async (exchange) => {
      await exchange.body();
      if (exchange.request.target !== '/b') await exchange.send(json({}));
    };
    on = await stage(
      { shop },
      { calls: { a: post('/a', undo('/undo')), b: post('/b') }, deadline: '5s' },
      { clock },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /page/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await until(() => lines().includes('POST /b'), 'the second is asked');
    client.close();
    await until(() => lines().includes('DELETE /undo'), 'the first is undone');
    const response = on.ask();
    await until(() => lines().length === 5, 'the second is asked');
    clock.advance(5000);
    expect((await response).status).toBe(504);
    expect(bodyOf(await response)).toMatchObject({ call: 'b', kind: 'timeout', compensated: ['a'] });
  });

  it('is undone to the end before the gateway ends, though the client has left', async () => {
    const undone = Promise.withResolvers<void>();
    const shop: Script = async (exchange) => {
      await exchange.body();
      if (exchange.request.target === '/undo-b') await undone.promise;
      if (exchange.request.target !== '/c') await exchange.send(json({}));
    };
    on = await stage(
      { shop },
      { calls: { a: post('/a', undo('/undo-a')), b: post('/b', undo('/undo-b')), c: post('/c') } },
      { more: { drain: { timeout: '30s' } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /page/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await until(() => lines().includes('POST /c'), 'the third is asked');
    client.close();
    await until(() => lines().includes('DELETE /undo-b'), 'the second is being undone');
    const ended = on.gateway.close();
    undone.resolve();
    await ended;
    expect(lines().at(-1)).toBe('DELETE /undo-a');
  });
});
