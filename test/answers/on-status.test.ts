import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/telemetry/index.ts';
import { answer, Gate, ManualClock, until } from '../../src/testkit/index.ts';
import { header, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const FAILS = answer(503, [], 'main is down');
const TOO_LONG = { respond: { body: 'too long' } };
const ANY = { any: { match: '/*', to: 'main' } };

describe('onStatus', () => {
  it('asks another service, which answers in its place', async () => {
    on = await stage(
      { main: FAILS, backup: answer(200, [['X-From', 'backup']], 'ok') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { '500-504': { to: 'backup' } } } } },
    );
    const response = await on.ask('GET /x?y=1');
    expect([response.status, response.body.toString(), header(response, 'x-from')]).toEqual([
      200,
      'ok',
      'backup',
    ]);
    expect((await on.origins.backup!.nextRequest()).target).toBe('/x?y=1');
  });

  it('also where the service could not be reached', async () => {
    on = await stage({ backup: answer(200, [], 'ok') }, {});
    await on.gateway.reload({
      services: { main: { url: 'http://127.0.0.1:1' }, backup: { url: on.origins.backup!.url } },
      routes: { all: { match: '/*', to: 'main', onStatus: { 502: { to: 'backup' } } } },
    });
    expect((await on.ask('GET /x')).status).toBe(200);
  });

  it('does not hold on to an answer that drips while another stands in for it', async () => {
    const clock = new ManualClock();
    on = await stage(
      { main: ({ connection }) => connection.send('HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nx') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { 503: { respond: { body: 'sorry' } } } } } },
      { clock },
    );
    expect((await on.ask('GET /x')).body.toString()).toBe('sorry');
    clock.advance(1001);
    expect(await on.origins.main!.connections[0]!.closed()).toBeDefined();
  });

  it('never asks another service for an unsafe method', async () => {
    on = await stage(
      { main: FAILS, backup: answer(200, [], 'ok') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { 503: { to: 'backup' } } } } },
    );
    const response = await on.ask('POST /x', [], 'text');
    expect([response.status, response.body.toString()]).toEqual([503, 'main is down']);
    expect(on.origins.backup!.requests).toEqual([]);
  });

  it('of a list the next is tried when an entry has a status of the same key, or none comes', async () => {
    on = await stage(
      { main: FAILS, second: answer(504, [], 'slow') },
      {
        routes: {
          all: {
            match: '/*',
            to: 'main',
            onStatus: { '500-504': [{ to: 'second' }, { respond: { body: 'later' } }] },
          },
        },
      },
    );
    const response = await on.ask('GET /x');
    expect([response.status, response.body.toString()]).toEqual([504, 'later']);
    expect(on.origins.second!.requests.length).toBe(1);
  });

  it('an answer that took the place of another is not handled again', async () => {
    on = await stage(
      { main: FAILS, backup: answer(404, [], 'nothing here') },
      {
        routes: {
          all: {
            match: '/*',
            to: 'main',
            onStatus: { 503: { to: 'backup' }, 404: { respond: { body: 'never' } } },
          },
        },
      },
    );
    const response = await on.ask('GET /x');
    expect([response.status, response.body.toString()]).toEqual([404, 'nothing here']);
  });

  it('respond keeps the status unless it names one; redirect leads elsewhere', async () => {
    on = await stage(
      { main: answer(404, [], 'raw') },
      {
        routes: {
          a: { match: '/a', to: 'main', onStatus: { '4xx': { respond: { body: 'no such page' } } } },
          b: { match: '/b', to: 'main', onStatus: { 404: { redirect: { to: '/home', status: 302 } } } },
        },
      },
    );
    const plain = await on.ask('GET /a');
    expect([plain.status, plain.body.toString()]).toEqual([404, 'no such page']);
    const redirect = await on.ask('GET /b');
    expect([redirect.status, header(redirect, 'location')]).toEqual([302, '/home']);
  });

  it('of two keys that hold the narrower one counts', async () => {
    on = await stage(
      { main: FAILS },
      {
        routes: {
          all: {
            match: '/*',
            to: 'main',
            onStatus: { '5xx': { respond: { body: 'wide' } }, 503: { respond: { body: 'narrow' } } },
          },
        },
      },
    );
    expect((await on.ask('GET /x')).body.toString()).toBe('narrow');
  });

  it('in defaults it holds where no route matched, and for what could not be read', async () => {
    on = await stage(
      { main: FAILS },
      {
        defaults: {
          onStatus: { 404: { respond: { body: 'lost?' } }, 400: { respond: { body: 'pardon?' } } },
        },
        routes: { a: { match: '/a', to: 'main' } },
      },
    );
    expect((await on.ask('GET /nowhere')).body.toString()).toBe('lost?');
    const broken = await on.ask('GET /a', ['Content-Length: x']);
    expect([broken.status, broken.body.toString()]).toEqual([400, 'pardon?']);
  });

  it('lets go of the first service before it asks the second', async () => {
    on = await stage({ main: FAILS, backup: answer(200, [], 'ok') }, {});
    await on.gateway.reload({
      services: {
        main: { url: on.origins.main!.url, breaker: { maxRequests: 1, maxPending: 0 } },
        backup: { url: on.origins.backup!.url },
      },
      routes: { all: { match: '/*', to: 'main', onStatus: { 503: { to: 'backup' } } } },
    });
    for (let i = 0; i < 5; i++) expect((await on.ask('GET /x')).status).toBe(200);
    expect(on.origins.main!.requests.length).toBe(5);
  });

  it('asks a service where no route matched', async () => {
    on = await stage(
      { main: FAILS, attic: answer(200, [], 'old page') },
      {
        defaults: { onStatus: { 404: { to: { service: 'attic', path: '/attic{request.path}' } } } },
        routes: { a: { match: '/a', to: 'main' } },
      },
    );
    expect((await on.ask('GET /old?x=1')).body.toString()).toBe('old page');
    expect((await on.origins.attic!.nextRequest()).target).toBe('/attic/old?x=1');
  });

  it('asks one there only for those whom the guard in defaults lets pass', async () => {
    on = await stage({ main: answer(200, [], 'ok') }, {});
    const keys = ['bob', 'eve'].map((name) => ({
      hash: `sha256:${createHash('sha256').update(name).digest('hex')}`,
      subject: name,
    }));
    const auth = { with: 'keys', allow: 'auth.subject == "bob"' };
    await on.gateway.reload({
      services: { main: { url: on.origins.main!.url } },
      auth: { keys: { apiKey: { keys } } },
      defaults: { auth, onStatus: { 404: { to: 'main' } }, response: { headers: { set: { x: 'y' } } } },
      routes: { a: { match: '/a', to: 'main' } },
    });
    const status = async (line: string, headers: string[] = []) => (await on.ask(line, headers)).status;
    for (const path of ['/nowhere', '/a/', '/A']) expect(await status(`GET ${path}`)).toBe(401);
    const refused = await on.ask('GET /nowhere', ['X-Api-Key: eve']);
    expect([refused.status, header(refused, 'x')]).toEqual([403, 'y']);
    expect(on.origins.main!.requests).toEqual([]);
    expect(
      await status('GET /nowhere', ['X-Api-Key: bob', 'X_Auth_Subject: root', 'X-Original-URL: /b']),
    ).toBe(200);
    const { headers } = on.origins.main!.requests[0]!;
    const names = headers.map(([name]) => name.toLowerCase());
    expect(names.filter((name) => /auth|original|api/.test(name))).toEqual(['x-auth-subject']);
  });

  it('what the gateway refuses because of its limits is not asked elsewhere', async () => {
    on = await stage(
      { main: FAILS, backup: answer(200, [], 'ok') },
      {
        routes: {
          all: { match: '/*', to: 'main', maxBody: '1B', onStatus: { 413: [{ to: 'backup' }, TOO_LONG] } },
        },
      },
    );
    const response = await on.ask('GET /x', [], 'text');
    expect([response.status, response.body.toString()]).toEqual([413, 'too long']);
    expect(on.origins.backup!.requests).toEqual([]);
  });

  it("from: service leaves the gateway's own statuses alone", async () => {
    on = await stage({ main: answer(502, [], 'broken'), backup: answer(200, [], 'ok') }, { routes: ANY });
    const all = { match: '/*', to: 'main', onStatus: { 502: { to: 'backup', from: 'service' } } };
    const backup = { url: on.origins.backup!.url };
    await on.gateway.reload({
      services: { main: { url: on.origins.main!.url }, backup },
      routes: { all },
    });
    expect((await on.ask('GET /x')).status).toBe(200);
    await on.gateway.reload({ services: { main: { url: 'http://127.0.0.1:1' }, backup }, routes: { all } });
    expect((await on.ask('GET /x')).status).toBe(502);
  });

  it("from: service holds for respond and redirect too, and for what is tried behind another service's failure", async () => {
    on = await stage({ main: answer(503, [], 'broken'), backup: answer(200, [], 'ok') }, { routes: ANY });
    const [main, backup] = [on.origins.main!.url, on.origins.backup!.url];
    const serve = (url: string, onStatus: object) =>
      on.gateway.reload({
        services: { main: { url }, backup: { url: backup }, away: { url: 'http://127.0.0.1:1' } },
        routes: { all: { match: '/*', to: 'main', onStatus } },
      });
    const own = { '502-503': [{ respond: { status: 200, body: 'of the service' }, from: 'service' }] };
    await serve(main, own);
    expect((await on.ask('GET /x')).body.toString()).toBe('of the service');
    await serve('http://127.0.0.1:1', own);
    expect((await on.ask('GET /x')).status).toBe(502);
    const [from, both] = [
      'service',
      (last: object) => ({ '502-503': [{ to: 'away', from: 'service' }, last] }),
    ];
    await serve(main, both({ to: 'backup', from }));
    expect((await on.ask('GET /x')).body.toString()).toBe('ok');
    await serve(main, both({ redirect: { to: '/sorry' }, from }));
    expect((await on.ask('GET /x')).status).toBe(308);
  });

  it('a 401 of the service is asked elsewhere where the config says from: service', async () => {
    on = await stage(
      { main: answer(401, [['WWW-Authenticate', 'Basic']], 'who?'), guest: answer(200, [], 'hello guest') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { 401: { to: 'guest', from: 'service' } } } } },
    );
    const response = await on.ask('GET /x');
    expect([response.body.toString(), header(response, 'www-authenticate')]).toEqual([
      'hello guest',
      undefined,
    ]);
  });

  it('an unsafe method takes the entry of a list that it may', async () => {
    on = await stage(
      { main: FAILS, backup: answer(200, [], 'ok') },
      {
        routes: {
          all: {
            match: '/*',
            to: 'main',
            onStatus: { 503: [{ to: 'backup' }, { respond: { status: 503, body: 'try again later' } }] },
          },
        },
      },
    );
    expect((await on.ask('POST /x', [], 'text')).body.toString()).toBe('try again later');
    expect(on.origins.backup!.requests).toEqual([]);
  });

  it('when no entry is better, the last answer goes out', async () => {
    on = await stage(
      { main: FAILS, second: answer(503, [], 'second is down too') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { '5xx': [{ to: 'second' }] } } } },
    );
    const response = await on.ask('GET /x');
    expect([response.status, response.body.toString()]).toEqual([503, 'second is down too']);
  });

  it('the connection of the answer that gave way is used again', async () => {
    on = await stage(
      { main: answer(503, [], 'x'.repeat(20_000)), backup: answer(200, [], 'ok') },
      { routes: { all: { match: '/*', to: 'main', onStatus: { 503: { to: 'backup' } } } } },
    );
    for (let i = 0; i < 5; i++) expect((await on.ask('GET /x')).status).toBe(200);
    expect(on.origins.main!.connections.length).toBe(1);
  });

  it('a long answer that gave way is cut off, not read to its end', async () => {
    on = await stage(
      {
        main: async ({ connection }) => {
          await connection.send(
            'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000000000\r\n\r\nbegin',
          );
        },
      },
      { routes: { all: { match: '/*', to: 'main', onStatus: { 503: { respond: { body: 'later' } } } } } },
    );
    expect((await on.ask('GET /x')).body.toString()).toBe('later');
    await on.origins.main!.connections[0]!.closed();
  });

  it('the second service has its own time to answer in', async () => {
    const clock = new ManualClock();
    const arrived = new Gate();
    on = await stage(
      { main: () => arrived.open(), backup: answer(200, [], 'ok') },
      {
        routes: { all: { match: '/*', to: 'main', timeout: '2s', onStatus: { 504: { to: 'backup' } } } },
      },
      { clock },
    );
    const asked = on.ask('GET /x');
    await arrived.opened;
    await clock.advance(2_001);
    expect((await asked).body.toString()).toBe('ok');
  });

  it('none takes away what defaults say', async () => {
    on = await stage(
      { main: FAILS },
      {
        defaults: { onStatus: { 503: { respond: { body: 'default' } } } },
        routes: {
          a: { match: '/a', to: 'main' },
          b: { match: '/b', to: 'main', onStatus: 'none' },
          c: { match: '/c', to: 'main', onStatus: { 404: { respond: { body: 'own' } } } },
        },
      },
    );
    const bodies = [];
    for (const path of ['/a', '/b', '/c']) bodies.push((await on.ask(`GET ${path}`)).body.toString());
    expect(bodies).toEqual(['default', 'main is down', 'main is down']);
  });

  it('the log says why, also where another answer stands in for an error of the gateway', async () => {
    const lines: string[] = [];
    const keep = (text: string, fields?: object) => lines.push(`${text} ${JSON.stringify(fields)}`);
    on = await stage(
      {},
      {
        services: { gone: { url: 'http://127.0.0.1:1' } },
        routes: {
          all: { match: '/*', to: 'gone', onStatus: { 502: { respond: { status: 503, body: 'later' } } } },
        },
      },
      { log: { ...silentLogger, error: keep, warn: keep } },
    );
    expect((await on.ask('GET /x')).status).toBe(503);
    await until(() => lines.some((line) => line.includes('TG_UPSTREAM_REFUSED')), 'no reason in the log');
  });
});
