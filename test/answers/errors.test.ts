import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../../src/testkit/index.ts';
import { header, json, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

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

  it('reads the body of the request where it alone mentions it', async () => {
    const errors = { body: '{"code": error.code, "asked": request.body.name}' };
    on = await stage(
      {},
      {
        services: { gone: { url: 'http://127.0.0.1:1' } },
        routes: { a: { match: '/a', to: 'gone', errors } },
      },
    );
    const lost = await on.ask('POST /a', ['Content-Type: application/json'], '{"name":"tea"}');
    expect(json(lost)).toEqual({ code: 'TG_UPSTREAM_REFUSED', asked: 'tea' });
  });

  it('holds for what could not be read as a request', async () => {
    on = await stage(
      { main: answer(200, [], 'x') },
      {
        defaults: { errors: { body: '{"why": error.code, "text": error.detail}' } },
        routes: { a: { match: '/a', to: 'main' } },
      },
    );
    const broken = await on.ask('GET /a', ['Content-Length: x']);
    expect([broken.status, header(broken, 'content-type')]).toEqual([400, 'application/json']);
    expect(json(broken)).toEqual({ why: 'TG_REQUEST_FRAMING', text: expect.stringContaining('length') });
  });

  it("a route's own replaces the one of defaults and sees the path's parameters; none takes it away", async () => {
    on = await stage(
      {},
      {
        services: { gone: { url: 'http://127.0.0.1:1' } },
        defaults: { errors: { body: '"default"' } },
        routes: {
          a: { match: '/a', to: 'gone' },
          b: { match: '/b/{id}', to: 'gone', errors: { body: '{"id": params.id, "title": error.title}' } },
          c: { match: '/c', to: 'gone', errors: 'none' },
        },
      },
    );
    expect(json(await on.ask('GET /a'))).toBe('default');
    expect(json(await on.ask('GET /b/7'))).toEqual({ id: '7', title: 'Bad Gateway' });
    expect(header(await on.ask('GET /c'), 'content-type')).toBe('application/problem+json');
  });
});
