import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../../src/testkit/index.ts';
import { header, json, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const FAILS = answer(503, [], 'main is down');

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
});

describe('errors', () => {
  it("shapes the gateway's own errors, and only those", async () => {
    on = await stage(
      { main: answer(500, [], 'mine') },
      {
        defaults: { errors: { body: '{"fault": error.code, "at": request.path, "status": error.status}' } },
        routes: { a: { match: '/a', to: 'main' } },
      },
    );
    const lost = await on.ask('GET /nowhere');
    expect(header(lost, 'content-type')).toBe('application/json');
    expect(json(lost)).toEqual({ fault: 'TG_ROUTE_NOT_FOUND', at: '/nowhere', status: 404 });
    expect((await on.ask('GET /a')).body.toString()).toBe('mine');
  });

  it('an expression that fails leaves the problem document as it was', async () => {
    on = await stage(
      { main: answer(200, [], 'x') },
      {
        defaults: { errors: { body: 'request.headers["x-absent"]' } },
        routes: { a: { match: '/a', to: 'main' } },
      },
    );
    expect(json(await on.ask('GET /nowhere'))).toMatchObject({ code: 'TG_ROUTE_NOT_FOUND' });
  });
});

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
});
