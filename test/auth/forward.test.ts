import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  headerValues,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
} from '../../src/testkit/index.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
let server: ScriptedOrigin;
afterEach(async () => {
  await on?.close();
  await server?.close();
});

const start = async (script: Script | Script[], forward: object = {}, options: StageOptions = {}) => {
  server = await scriptedOrigin(script);
  on = await stage({
    auth: { ask: { forward: { url: `${server.url}/verify?x=1`, ...forward } } },
    route: { auth: { with: 'ask' } },
    ...options,
  });
};
const PASS = answer(200, [
  ['X-User', 'alice'],
  ['X-Groups', 'a b'],
  ['X-Other', 'no'],
]);

describe('forward', () => {
  it('asks by GET without a body, with what the gateway itself knows of the request', async () => {
    await start(PASS);
    const client = [
      'Cookie: s=1',
      'Authorization: Basic YTpi',
      'X-Secret: no',
      'X-Forwarded-Uri: /public',
      'X-Forwarded-Method: GET',
      'X-Original-URI: /public',
      'X-Original-Method: GET',
      'X-Forwarded-For: 6.6.6.6',
      'Content-Length: 0',
    ];
    expect((await on.ask('DELETE /a/../b//%7Ec?d=%20e', ...client)).status).toBe(200);
    const [asked] = server.requests;
    expect([asked!.method, asked!.target]).toEqual(['GET', '/verify?x=1']);
    const shown = Object.fromEntries(asked!.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(shown).toEqual({
      host: `127.0.0.1:${server.port}`,
      authorization: 'Basic YTpi',
      cookie: 's=1',
      'x-forwarded-method': 'DELETE',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.test',
      'x-forwarded-uri': '/b/~c?d=%20e',
      'x-forwarded-for': '127.0.0.1',
      'x-original-method': 'DELETE',
      'x-original-uri': '/b/~c?d=%20e',
    });
    expect(asked!.raw.toString()).not.toMatch(/6\.6\.6\.6|public|X-Secret/);
  });

  describe('at a URL that is filled in', () => {
    const filled = (path: string, more: object = {}, options: StageOptions = {}) =>
      scriptedOrigin(PASS).then(async (origin) => {
        server = origin;
        const forward = { url: `${origin.url}${path}`, ...more };
        on = await stage({ auth: { ask: { forward } }, route: { auth: { with: 'ask' } }, ...options });
      });
    const asked = () => server.requests.map(({ target }) => target);

    it('is asked there, with values of the request encoded in path and query', async () => {
      await filled('/verify/{request.method}/{request.query.tenant}?rd={request.url}&to={request.path}');
      expect((await on.ask('GET /a/b?tenant=x%2Fy%20z')).status).toBe(200);
      expect(asked()).toEqual([
        '/verify/GET/x%2Fy%20z?rd=http%3A%2F%2Fshop.test%2Fa%2Fb%3Ftenant%3Dx%252Fy%2520z&to=%2Fa%2Fb',
      ]);
    });

    it('knows the parameters of the route', async () => {
      const routes = { one: { match: '/t/{tenant}/*', to: 'shop', auth: { with: 'ask' } } };
      await filled('/{params.tenant}/verify', {}, { routes });
      expect((await on.ask('GET /t/acme/x')).status).toBe(200);
      expect(asked()).toEqual(['/acme/verify']);
    });

    it('asks nobody and lets nobody pass where the request gives nothing to fill in, or two things', async () => {
      await filled('/verify/{request.query.tenant}');
      for (const target of ['/a', '/a?tenant=', '/a?tenant=..', '/a?tenant=x&tenant=y']) {
        const response = await on.ask(`GET ${target}`);
        expect([response.status, code(response)]).toEqual([400, 'TG_REQUEST_VALUE']);
      }
      expect([asked(), on.service.requests]).toEqual([[], []]);
    });

    it('keeps decisions apart that were asked for at different places', async () => {
      await filled('/verify?l={request.headers["x-level"]}', { cache: '1m' });
      for (const level of [1, 2, 1, 2]) await on.ask('GET /a', `X-Level: ${level}`);
      expect(asked()).toEqual(['/verify?l=1', '/verify?l=2']);
    });
  });

  it('fills auth from its answer, and hands its headers on to the service in the place of the client’s own', async () => {
    await start(
      PASS,
      {
        responseHeaders: ['x-user'],
        subject: '{response.headers["x-user"]}',
        permissions: '{response.headers["x-groups"]}',
      },
      { route: { auth: { with: 'ask', allow: 'auth.subject == "alice" && "b" in auth.permissions' } } },
    );
    expect((await on.ask('GET /x', 'X-User: mallory', 'X_User: mallory', 'X.User: mallory')).status).toBe(
      200,
    );
    expect(headerValues(on.got(), 'x-user')).toEqual(['alice']);
    expect(on.got().raw.toString()).not.toMatch(/mallory|x-other/i);
  });

  it('never lets a client’s own header of such a name pass, also where the answer has none', async () => {
    await start(answer(200), { responseHeaders: ['x-user'] });
    await on.ask('GET /x', 'X-User: mallory');
    expect(headerValues(on.got(), 'x-user')).toEqual([]);
  });

  it('keeps a client’s own word of what was asked for from the service too, in any spelling', async () => {
    await start(PASS);
    await on.ask(
      'GET /x',
      'X-Forwarded-Uri: /mallory',
      'X_Forwarded_Method: MALLORY',
      'x-original-uri: /mallory',
      'X-Original-Method: MALLORY',
    );
    expect(on.got().raw.toString()).not.toMatch(/mallory/i);
  });

  it.each([401, 403, 302, 307])('gives %i back as it is', async (status) => {
    await start(
      answer(
        status,
        [
          ['Location', 'https://login.test/?rd=x'],
          ['Set-Cookie', 'csrf=1'],
          ['WWW-Authenticate', 'Custom'],
        ],
        'log in',
      ),
    );
    const response = await on.ask('GET /x');
    expect([response.status, response.body.toString()]).toEqual([status, 'log in']);
    expect(headerValue(response, 'location')).toBe('https://login.test/?rd=x');
    expect(headerValue(response, 'set-cookie')).toBe('csrf=1');
    expect(on.service.requests).toEqual([]);
  });

  it.each([400, 404, 429, 500])('takes %i for no answer: 503', async (status) => {
    await start(answer(status));
    const response = await on.ask('GET /x');
    expect([response.status, code(response)]).toEqual([503, 'TG_AUTH_UNAVAILABLE']);
  });

  it('never asks another service in the place of what it refused', async () => {
    await start(
      answer(401, [], 'no'),
      {},
      {
        route: { auth: { with: 'ask' }, onStatus: { '4xx': { to: 'shop', from: 'service' } } },
      },
    );
    expect((await on.ask('GET /x')).status).toBe(401);
    expect(on.service.requests).toEqual([]);
  });

  it('hands clientHeaders back to the client, and then keeps nothing', async () => {
    await start(answer(204, [['Set-Cookie', 'session=2']]), { clientHeaders: ['set-cookie'], cache: '1m' });
    for (let i = 0; i < 2; i++) expect(headerValue(await on.ask('GET /x'), 'set-cookie')).toBe('session=2');
    expect(server.requests.length).toBe(2);
  });

  it('is asked about every request where cache says nothing', async () => {
    await start(PASS);
    await on.ask('GET /x');
    await on.ask('GET /x');
    expect(server.requests.length).toBe(2);
  });

  it('is asked once for equal requests where cache says so: headers, method, host, path and query', async () => {
    await start(PASS, { cache: '5s' });
    await on.ask('GET /x', 'Cookie: a=1');
    await on.ask('GET /x', 'Cookie: a=1', 'X-Any: 1');
    expect(server.requests.length).toBe(1);
    await on.ask('GET /x', 'Cookie: a=2');
    await on.ask('GET /y', 'Cookie: a=1');
    await on.ask('GET /x?q', 'Cookie: a=1');
    await on.ask('POST /x', 'Cookie: a=1', 'Content-Length: 0');
    expect(server.requests.length).toBe(5);
    on.clock.advance(5000);
    await on.ask('GET /x', 'Cookie: a=1');
    expect(server.requests.length).toBe(6);
  });

  it('keeps a 403 as long as refuse says, and no 401 or redirect', async () => {
    await start([answer(403, [], 'no'), answer(401), answer(302, [['Location', '/login']])], {
      cache: { accept: '1m', refuse: '5s' },
    });
    for (let i = 0; i < 2; i++) expect((await on.ask('GET /x')).body.toString()).toBe('no');
    expect(server.requests.length).toBe(1);
    on.clock.advance(5000);
    expect((await on.ask('GET /x')).status).toBe(401);
    expect((await on.ask('GET /x')).status).toBe(302);
    expect(server.requests.length).toBe(3);
  });

  it('goes by the key that is said', async () => {
    await start(PASS, { cache: { accept: '1m', key: 'request.cookies.session' } });
    await on.ask('GET /x', 'Cookie: session=1; a=1');
    await on.ask('GET /y', 'Cookie: session=1; a=2');
    expect(server.requests.length).toBe(1);
    // Without it there is no key, and nothing is kept.
    await on.ask('GET /x');
    await on.ask('GET /x');
    expect(server.requests.length).toBe(3);
  });

  it('masks a credential in a query from other servers, and in X-Original-URI', async () => {
    await start(PASS, { from: [{ query: 'ticket' }] });
    await on.ask('GET /x?ticket=secret&a=1');
    const [asked] = server.requests;
    expect(headerValue(asked!, 'x-original-uri')).toBe('/x?ticket=***&a=1');
    expect(headerValue(asked!, 'x-forwarded-uri')).toBe('/x?ticket=secret&a=1');
    expect(on.got().target).toBe('/x?a=1');
  });
});

describe('a credential in a cookie', () => {
  it('counts for unsafe requests only from a page of the same origin', async () => {
    await start(PASS, { from: [{ cookie: 's' }] });
    const post = (...lines: string[]) => on.ask('POST /x', 'Cookie: s=1', 'Content-Length: 0', ...lines);
    expect((await on.ask('GET /x', 'Cookie: s=1')).status).toBe(200);
    expect((await post()).status).toBe(403);
    expect((await post('Origin: https://evil.test')).status).toBe(403);
    expect((await post('Origin: null')).status).toBe(403);
    expect((await post('Origin: https://shop.test')).status).toBe(403);
    expect((await post('Origin: http://shop.test', 'Origin: http://evil.test')).status).toBe(403);
    expect((await post('Origin: http://shop.test')).status).toBe(200);
  });

  it('counts for all where crossSite says so', async () => {
    await start(PASS, { from: [{ cookie: 's' }], crossSite: true });
    expect((await on.ask('POST /x', 'Cookie: s=1', 'Content-Length: 0')).status).toBe(200);
  });
});
