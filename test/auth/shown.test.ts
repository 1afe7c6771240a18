import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { explainRequest } from '../../src/snapshot/index.ts';
import { answer, headerValue, headerValues } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on?.close());
const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const auth = {
  keys: {
    apiKey: {
      from: [{ query: 'api key' }, { header: 'x-api-key' }],
      keys: [{ hash: hash('right'), subject: 'robot' }],
    },
  },
};

describe('a credential in a query', () => {
  it('is masked wherever the request is shown, and taken off what the service gets', async () => {
    const headers = { set: { 'x-url': '{request.url}' } };
    on = await stage({ auth, route: { auth: { with: 'keys' }, request: { headers } } });
    await on.ask('GET /x?a=1&api%20key=right&b=%20');
    expect(on.got().target).toBe('/x?a=1&b=%20');
    expect(headerValue(on.got(), 'x-url')).toBe('http://shop.test/x?a=1&api%20key=***&b=%20');
  });

  it('is masked in a refusal’s own words too', async () => {
    on = await stage({ auth, route: { auth: { with: 'keys' }, errors: { body: '{"url": request.url}' } } });
    const response = await on.ask('GET /x?api+key=wrong');
    expect([response.status, response.body.toString()]).toEqual([
      401,
      '{"url":"http://shop.test/x?api+key=***"}',
    ]);
  });
});

describe('explain', () => {
  it.for([
    ['right', '/x?a=1', {}],
    ['wrong', '/x?a=1', {}],
    ['right', '/x?a=1&api%20key=***', { passToken: true }],
  ] as const)('shows no credential of a query: %s', ([key, target, more]) => {
    const { config } = loadObject(
      {
        listen: '127.0.0.1:8080',
        services: { shop: { url: 'http://127.0.0.1:1' } },
        auth,
        routes: { all: { match: '/*', to: 'shop', auth: { with: 'keys', ...more } } },
      },
      '.',
    );
    const explained = explainRequest(config!, { method: 'GET', url: `/x?a=1&api%20key=${key}`, headers: [] });
    expect(explained.target).toBe(`http://127.0.0.1:1${target}`);
    expect(JSON.stringify(explained)).not.toContain(key);
  });
});

describe('explain of a guard', () => {
  const explained = (guard: object, method: string, headers: string[], provider: object = {}) => {
    const keys = { apiKey: { ...auth.keys.apiKey, ...provider } };
    const { config } = loadObject(
      {
        services: { shop: { url: 'http://127.0.0.1:1' } },
        auth: { keys },
        routes: { all: { match: '/*', to: 'shop', auth: { with: 'keys', ...guard } } },
      },
      '.',
    );
    return explainRequest(config!, { method, url: 'http://shop.test/x', headers }).auth!;
  };
  const key = ['x-api-key', 'right'];

  it('names whoever else must allow the request, and what is asked of the answer', () => {
    const guard = {
      opa: { url: 'http://127.0.0.1:8181/v1/data/shop' },
      authzen: { url: 'https://pdp.example/' },
      allowResponse: 'response.body.owner == auth.subject',
    };
    expect(explained(guard, 'GET', key)).toMatchObject({
      says: 'it is robot',
      asks: [
        'the leave of opa (http://127.0.0.1:8181)',
        'the leave of authzen (https://pdp.example)',
        'response.body.owner == auth.subject, of the answer',
      ],
      status: null,
    });
  });

  it('says that a rule on the answer refuses all but GET', () => {
    const guard = { allowResponse: 'response.status == 200' };
    for (const method of ['HEAD', 'POST'])
      expect(explained(guard, method, key)).toMatchObject({
        says: 'it is robot; allowResponse lets GET alone pass: 403',
        status: 403,
      });
  });

  it('says that a cookie counts for an unsafe request from a page of the same origin alone', () => {
    const from = [{ cookie: 'session' }];
    const cookie = ['cookie', 'session=right'];
    const status = (method: string, headers: string[], more: object = {}) =>
      explained({}, method, [...cookie, ...headers], { from, ...more }).status;
    expect(status('GET', [])).toBe(null);
    expect(status('POST', [])).toBe(403);
    expect(status('POST', ['origin', 'http://evil.test'])).toBe(403);
    expect(status('POST', ['origin', 'http://shop.test'])).toBe(null);
    expect(status('POST', [], { crossSite: true })).toBe(null);
  });

  it('says that two Authorization headers are 400, whatever else is shown', () => {
    const two = ['authorization', 'Basic YTpi', 'Authorization', 'Bearer x'];
    expect(explained({}, 'GET', [...key, ...two])).toMatchObject({
      says: 'two Authorization headers: 400',
      status: 400,
    });
  });
});

describe('a refusal by a guard', () => {
  it('speaks of a token only where one was shown', async () => {
    const jwt = { jwt: { secret: 'long-enough-to-be-a-secret-of-hmac', issuer: 'any' } };
    on = await stage({ auth: { ...auth, jwt }, route: { auth: { with: ['keys', 'jwt'] } } });
    const challenges = async (...lines: string[]) =>
      headerValues(await on.ask('GET /x', ...lines), 'www-authenticate');
    expect(await challenges('X-Api-Key: wrong')).toEqual([
      'ApiKey realm="tidegate"',
      'Bearer realm="tidegate"',
    ]);
    expect(await challenges('Authorization: Bearer wrong')).toEqual([
      'ApiKey realm="tidegate"',
      'Bearer realm="tidegate", error="invalid_token"',
    ]);
  });

  it('carries the leave of CORS, stands in for itself by onStatus, and is shaped by errors', async () => {
    on = await stage({
      auth,
      route: {
        auth: { with: 'keys' },
        cors: { origins: ['https://app.example'] },
        onStatus: { '401': { redirect: { to: '/login', status: 302 } } },
      },
    });
    const response = await on.ask('GET /x', 'Origin: https://app.example');
    expect([response.status, headerValue(response, 'location')]).toEqual([302, '/login']);
    expect(headerValue(response, 'access-control-allow-origin')).toBe('https://app.example');
  });

  it('does not stand in the way of a preflight, which asks nobody who they are', async () => {
    on = await stage({ auth, route: { auth: { with: 'keys' }, cors: { origins: ['https://app.example'] } } });
    const response = await on.ask(
      'OPTIONS /x',
      'Origin: https://app.example',
      'Access-Control-Request-Method: GET',
    );
    expect([response.status, headerValue(response, 'access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    expect(on.service.requests).toEqual([]);
  });
});

describe('routes that answer by themselves', () => {
  it('are guarded as those that lead to a service', async () => {
    on = await stage({
      auth,
      script: answer(200),
      routes: {
        answers: { match: '/answers', respond: { body: 'secret' }, auth: { with: 'keys' } },
        leads: { match: '/leads', redirect: { to: '/secret' }, auth: { with: 'keys' } },
      },
    });
    expect([(await on.ask('GET /answers')).status, (await on.ask('GET /leads')).status]).toEqual([401, 401]);
    expect((await on.ask('GET /answers', 'X-Api-Key: right')).body.toString()).toBe('secret');
  });
});

describe('a body that a policy looks into', () => {
  it('is read only of those who may come in', async () => {
    const allow = 'request.body.owner == auth.subject';
    on = await stage({ auth, route: { auth: { with: 'keys', allow } } });
    const post = async (body: string, ...lines: string[]) =>
      (await on.ask('POST /x', ...lines, `Content-Length: ${body.length}\r\n\r\n${body}`.replace(/$/, '')))
        .status;
    expect(await post('{"owner":"robot"}', 'X-Api-Key: right')).toBe(200);
    expect(await post('{"owner":"bob"}', 'X-Api-Key: right')).toBe(403);
    expect(await post('no json at all')).toBe(401);
  });
});
