import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { answer, Gate, headerValues, until } from '../../src/testkit/index.ts';
import { type AuthServer, authServer } from './auth-server.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
let server: AuthServer;
let given: number;
beforeEach(async () => {
  given = 0;
  server = await authServer();
  server.say = () => ({ access_token: `t${++given}`, token_type: 'Bearer', expires_in: 100 });
});
afterEach(async () => {
  server.gate?.open();
  await on?.close();
  await server.origin.close();
});

const start = async (more: object = {}, options: StageOptions = {}) => {
  on = await stage(options);
  const auth = {
    clientCredentials: {
      tokenEndpoint: `${server.origin.url}/token`,
      clientId: 'tide',
      clientSecret: 's3cretx',
      scope: 'orders stock',
      ...more,
    },
  };
  await on.gateway.reload({
    services: { shop: { url: on.service.url, auth } },
    routes: { all: { match: '/*', to: 'shop' } },
  });
};
const got = () => headerValues(on.got(), 'authorization');

describe('a service with a credential of the gateway’s own (RFC 6749 §4.4)', () => {
  it('gets a bearer token, asked for with the client and its scope, in place of what the client sent', async () => {
    await start();
    expect((await on.ask('GET /x', 'Authorization: Bearer mine')).status).toBe(200);
    expect(got()).toEqual(['Bearer t1']);
    const { form, headers, path } = server.asked[0]!;
    expect([path, form.get('grant_type'), form.get('scope')]).toEqual([
      '/token',
      'client_credentials',
      'orders stock',
    ]);
    expect(headers.authorization).toBe(`Basic ${Buffer.from('tide:s3cretx').toString('base64')}`);
  });

  it('gets that alone, and hears in plain headers who asks, where others get a signed token', async () => {
    on = await stage({});
    const clientCredentials = {
      tokenEndpoint: `${server.origin.url}/token`,
      clientId: 'tide',
      clientSecret: 's3cretx',
    };
    const auth = { with: 'keys', forwardAs: 'jwt' };
    const hash = `sha256:${createHash('sha256').update('k').digest('hex')}`;
    const { url } = on.service;
    await on.gateway.reload({
      services: { shop: { url, auth: { clientCredentials } }, plain: { url } },
      auth: { keys: { apiKey: { keys: [{ hash, subject: 'robot' }] } } },
      routes: {
        aggregate: {
          match: '/aggregate',
          auth,
          aggregate: {
            calls: {
              one: { to: 'shop', path: '/one', read: 'text' },
              two: { to: 'plain', path: '/two', read: 'text' },
            },
          },
        },
        mirror: { match: '/mirror', to: 'plain', auth, mirror: { to: 'shop' } },
      },
    });
    expect((await on.ask('GET /aggregate', 'X-Api-Key: k')).status).toBe(200);
    expect((await on.ask('GET /mirror', 'X-Api-Key: k')).status).toBe(200);
    await until(() => on.service.requests.length === 4, 'the copy comes');
    const told = on.service.requests.map((request) => [
      headerValues(request, 'authorization').map((value) => value.slice(0, 10)),
      headerValues(request, 'x-auth-subject'),
    ]);
    const own = [['Bearer t1'], ['robot']];
    const signed = [['Bearer eyJ'], []];
    expect(told.toSorted()).toEqual([signed, signed, own, own]);
  });

  it('further parameters and client_secret_post as the config says', async () => {
    await start({ clientAuth: 'client_secret_post', params: { audience: 'api' } });
    await on.ask('GET /x');
    const { form } = server.asked[0]!;
    expect([form.get('audience'), form.get('client_id'), form.get('client_secret')]).toEqual([
      'api',
      'tide',
      's3cretx',
    ]);
  });

  it('one call for however many wait', async () => {
    server.gate = new Gate();
    await start();
    const asked = Array.from({ length: 20 }, () => on.ask('GET /x'));
    await until(() => server.asked.length > 0, 'nobody asks for a token');
    server.gate.open();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(server.asked).toHaveLength(1);
  });

  it('is renewed ahead of time, while the old one still serves', async () => {
    await start();
    await on.ask('GET /x');
    await on.ask('GET /x');
    server.gate = new Gate();
    on.clock.advance(81_000);
    await until(() => server.asked.length === 2, 'the token is not renewed');
    await on.ask('GET /x');
    expect(got()).toEqual(['Bearer t1']);
    server.gate.open();
    for (let tries = 0; tries < 50 && got()[0] !== 'Bearer t2'; tries++) await on.ask('GET /x');
    expect(got()).toEqual(['Bearer t2']);
  });

  it('is not renewed where nobody uses it; the next request waits for a new one', async () => {
    await start();
    await on.ask('GET /x');
    on.clock.advance(200_000);
    expect(server.asked).toHaveLength(1);
    await on.ask('GET /x');
    expect(got()).toEqual(['Bearer t2']);
  });

  it('a token that the service refuses is not shown again', async () => {
    await start({}, { script: answer(401, [], 'no') });
    expect((await on.ask('GET /x')).status).toBe(401);
    on.clock.advance(6_000);
    expect((await on.ask('GET /x')).status).toBe(401);
    await on.ask('GET /x');
    expect(got()).toEqual(['Bearer t2']);
  });

  it.each([
    ['an error', 400, '{"error":"invalid_client"}'],
    ['no JSON', 200, 'nonsense'],
    ['no token', 200, '{"token_type":"Bearer"}'],
    ['a token that would end its line', 200, '{"access_token":"a\\r\\nx: y","token_type":"Bearer"}'],
    ['a token of another kind', 200, '{"access_token":"a","token_type":"mac"}'],
    ['a server error', 500, ''],
  ])(
    '503 where the auth server answers with %s, and nothing reaches the service',
    async (_what, status, body) => {
      await start();
      server.status = status;
      server.say = () => body;
      const refused = await on.ask('GET /x');
      expect([refused.status, code(refused)]).toEqual([503, 'TG_UPSTREAM_CREDENTIAL']);
      expect(refused.body.toString()).not.toContain('s3cret');
      expect(on.service.requests).toEqual([]);
      server.status = 200;
      server.say = () => ({ access_token: 'good', token_type: 'Bearer' });
      expect((await on.ask('GET /x')).status).toBe(200);
    },
  );

  it('503 where the auth server is down, and back by itself', async () => {
    const { port } = new URL(server.origin.url);
    await server.origin.close();
    await start();
    expect((await on.ask('GET /x')).status).toBe(503);
    server = await authServer(Number(port));
    server.say = () => ({ access_token: 'again', token_type: 'Bearer', expires_in: 60 });
    on.clock.advance(5_000);
    expect((await on.ask('GET /x')).status).toBe(200);
  });
});

describe('what the config may not say of it', () => {
  const issues = (service: object, route: object = {}, auth: object = {}) =>
    loadObject(
      {
        services: { shop: { url: 'http://127.0.0.1:1', ...service } },
        auth: { keys: { apiKey: { keys: [{ hash: `sha256:${'0'.repeat(64)}` }] } } },
        routes: { all: { match: '/*', to: 'shop', ...route, auth: { with: 'keys', ...auth } } },
      },
      '.',
    ).issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const own = (more: object = {}) => ({
    auth: {
      clientCredentials: { tokenEndpoint: 'https://a.test/t', clientId: 'a', clientSecret: 'b', ...more },
    },
  });

  it('a token endpoint over http on another machine', () => {
    expect(issues(own({ tokenEndpoint: 'http://a.test/t' }))[0]).toContain('can be listened to');
    expect(issues(own({ tokenEndpoint: 'http://a.test/t', allowHttp: true }))).toEqual([]);
    expect(issues(own({ tokenEndpoint: 'http://127.0.0.1/t' }))).toEqual([]);
  });

  it.each([
    [{}, { passToken: true }],
    [{}, { forwardAs: 'jwt' }],
    [{ request: { headers: { set: { authorization: 'x' } } } }, {}],
  ])('another authorization beside it: %j %j', (route, auth) => {
    expect(issues(own(), route, auth).some((text) => /already gets/.test(text))).toBe(true);
  });
});
