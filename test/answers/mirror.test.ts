import { afterEach, describe, expect, it } from 'vitest';
import { answer, ManualClock, rawClient, scriptedOrigin, until } from '../../src/testkit/index.ts';
import { type Random, systemRandom } from '../../src/util/random.ts';
import { header, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

/** An answer without an end. */
const ENDLESS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n';

describe('mirror', () => {
  it('copies requests, bodies included, without a say in the answer', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(500, [], 'copy') },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy' } } } },
    );
    const response = await on.ask('POST /x?y=1', ['X-A: 1'], 'some text');
    expect(response.body.toString()).toBe('main');
    const copy = await on.origins.copy!.nextRequest();
    expect([copy.method, copy.target, copy.body.toString(), header(copy as never, 'x-a')]).toEqual([
      'POST',
      '/x?y=1',
      'some text',
      '1',
    ]);
    expect((await on.origins.main!.nextRequest()).body.toString()).toBe('some text');
  });

  it('a copy that hangs, or that nobody takes, holds up nobody', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: () => {} },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy' } } } },
    );
    for (let i = 0; i < 20; i++) expect((await on.ask('GET /x')).status).toBe(200);
    await on.origins.copy!.close();
    for (let i = 0; i < 5; i++) expect((await on.ask('GET /x')).status).toBe(200);
  });

  it('a copy that hangs ends when the time for an answer is over, and makes room for others', async () => {
    const clock = new ManualClock();
    on = await stage(
      { main: answer(200, [], 'main'), copy: ({ connection }) => connection.send(ENDLESS) },
      { routes: { all: { match: '/*', to: 'main', timeout: '2s', mirror: { to: 'copy' } } } },
      { clock },
    );
    expect((await on.ask('GET /x')).body.toString()).toBe('main');
    const { connection } = await on.origins.copy!.nextRequest();
    await until(() => connection.socket.bytesWritten > 0, 'the copy is not answered');
    await clock.advance(2_001);
    await connection.closed();
  });

  it('a copy that is answered with server-sent events ends there, and makes room for others', async () => {
    const events = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';
    on = await stage(
      { main: answer(200, [], 'main'), copy: ({ connection }) => connection.send(events) },
      { routes: { all: { match: '/*', to: 'main', timeout: 'none', mirror: { to: 'copy' } } } },
    );
    expect((await on.ask('GET /x')).body.toString()).toBe('main');
    const { connection } = await on.origins.copy!.nextRequest();
    await connection.closed();
  });

  it('a body over 1 MiB is passed on, and not copied', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(200, [], 'copy') },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy' } } } },
    );
    const long = 'x'.repeat(1024 * 1024 + 1);
    expect((await on.ask('POST /long', [], long)).body.toString()).toBe('main');
    expect((await on.ask('POST /short', [], long.slice(1))).body.toString()).toBe('main');
    const copied = await on.origins.copy!.nextRequest();
    expect([copied.target, copied.body.length]).toEqual(['/short', 1024 * 1024]);
  });

  it('a chunked body over 1 MiB is passed on, and not copied', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(200, [], 'copy') },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy' } } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    await client.send(
      `POST /long HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n`,
    );
    expect((await client.response('POST')).body.toString()).toBe('main');
    client.close();
    await on.ask('GET /after');
    expect((await on.origins.copy!.nextRequest()).target).toBe('/after');
  });

  it('where the body is read for an expression, the copy is made of it too, up to 1 MiB', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(200, [], 'copy') },
      {
        routes: {
          all: {
            match: '/*',
            to: 'main',
            maxBody: '2MiB',
            request: { headers: { set: { 'x-user': '{request.body.user}' } } },
            mirror: { to: { service: 'copy', path: '/of/{request.body.user}' } },
          },
        },
      },
    );
    const padding = ' '.repeat(1024 * 1024);
    expect((await on.ask('POST /x', [], `{"user":"long"}${padding}`)).status).toBe(200);
    expect((await on.ask('POST /x', [], '{"user":"ada"}')).status).toBe(200);
    const copy = await on.origins.copy!.nextRequest();
    expect([copy.target, header(copy as never, 'x-user'), copy.body.toString()]).toEqual([
      '/of/ada',
      'ada',
      '{"user":"ada"}',
    ]);
  });

  it('says nothing against a service whose answer is too long to be read', async () => {
    const copies = await scriptedOrigin(answer(200, [], 'x'.repeat(2_000_000)));
    const copy = {
      url: copies.url,
      health: { passive: { errors: 2 }, panic: '0%' },
      breaker: { errors: '2/30s' },
    };
    on = await stage(
      { main: answer(200, [], 'main') },
      {
        services: { main: { url: copies.url }, copy },
        routes: { all: { match: '/*', respond: { body: 'here' }, mirror: { to: 'copy' } } },
      },
    );
    for (const path of ['/1', '/2', '/3', '/4']) {
      await on.ask(`GET ${path}`);
      expect((await copies.nextRequest()).target).toBe(path);
      await copies.connections.at(-1)!.closed();
    }
    await copies.close();
  });

  it('is never retried', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: ({ connection }) => connection.reset() },
      {
        routes: {
          all: { match: '/*', to: 'main', retries: { attempts: 3, on: ['reset'] }, mirror: { to: 'copy' } },
        },
      },
    );
    for (const path of ['/1', '/2', '/3']) {
      await on.ask(`GET ${path}`);
      expect((await on.origins.copy!.nextRequest()).target).toBe(path);
    }
    expect(on.origins.copy!.requests.length).toBe(3);
  });

  it.each([10, '10', '10%'])('percent: %j is the share that is copied', async (percent) => {
    const numbers = [0.05, 0.1, 0.5, 0.09];
    const random: Random = { ...systemRandom, number: () => numbers.shift() ?? 1 };
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(200, [], 'copy') },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy', percent } } } },
      { random },
    );
    for (const path of ['/1', '/2', '/3', '/4']) await on.ask(`GET ${path}`);
    expect([
      (await on.origins.copy!.nextRequest()).target,
      (await on.origins.copy!.nextRequest()).target,
    ]).toEqual(['/1', '/4']);
  });

  it('copies what the gateway answers itself, under a path of its own', async () => {
    on = await stage(
      { copy: answer(200, [], 'copy') },
      {
        routes: {
          all: {
            match: '/hook/{id}',
            respond: { status: 202 },
            mirror: { to: { service: 'copy', path: '/copies/{params.id}' } },
          },
        },
      },
    );
    expect((await on.ask('GET /hook/7')).status).toBe(202);
    expect((await on.origins.copy!.nextRequest()).target).toBe('/copies/7');
  });

  it.each<[string, object]>([
    ['respond', { respond: { status: 202 } }],
    ['redirect', { redirect: { to: '/x', status: 303 } }],
  ])('%s: a body that nobody else needs is copied, and the connection stays', async (_, action) => {
    on = await stage(
      { copy: answer(200, [], 'copy') },
      { routes: { hook: { match: '/hook', ...action, mirror: { to: 'copy' } } } },
    );
    await using client = await rawClient({ port: on.gateway.port });
    const head = 'POST /hook HTTP/1.1\r\nHost: a\r\n';
    await client.send(`${head}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    expect((await client.head()).status).toBe(100);
    await client.send('one');
    const first = await client.response('POST');
    await client.send(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n`);
    expect((await client.response('POST')).status).toBe(first.status);
    for (const body of ['one', 'two'])
      expect((await on.origins.copy!.nextRequest()).body.toString()).toBe(body);
  });

  it('respond: a body that is too long, or none may send, is not copied', async () => {
    on = await stage(
      { copy: answer(200, [], 'copy') },
      {
        routes: {
          hook: { match: '/hook', respond: { status: 202 }, mirror: { to: 'copy' } },
          short: { match: '/short', respond: { status: 202 }, maxBody: '10B', mirror: { to: 'copy' } },
        },
      },
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const ends: number[] = [];
    for (const [path, chunks] of [
      ['/hook', 17],
      ['/short', 1],
    ] as const) {
      await using client = await rawClient({ port: on.gateway.port });
      await client.send(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(chunks)}`,
      );
      ends.push((await client.response('POST')).status);
    }
    expect(ends).toEqual([202, 413]);
    expect((await on.ask('GET /hook')).status).toBe(202);
    expect((await on.origins.copy!.nextRequest()).method).toBe('GET');
  });

  it('a request for a tunnel is not copied', async () => {
    on = await stage(
      { main: answer(200, [], 'main'), copy: answer(200, [], 'copy') },
      { routes: { all: { match: '/*', to: 'main', mirror: { to: 'copy' } } } },
    );
    await on.ask('GET /socket', ['Connection: upgrade', 'Upgrade: websocket']);
    await on.ask('GET /after');
    expect((await on.origins.copy!.nextRequest()).target).toBe('/after');
  });
});
