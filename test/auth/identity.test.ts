import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  exportPKCS8,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  headerValues,
  http2Origin,
  type ReceivedRequest,
  rawClient,
  scriptedOrigin,
} from '../../src/testkit/index.ts';
import { answered, Http2Client } from '../http2/stage.ts';
import { type Stage, stage } from './stage.ts';

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const keys = (who: object) => ({ keys: { apiKey: { keys: [{ hash: hash('k1'), ...who }] } } });
const BOB = keys({ subject: 'bob', permissions: ['orders:read', 'orders:write'] });
const GUARDED = { auth: { with: 'keys' } };
const KEY = 'X-Api-Key: k1';

let on: Stage;
afterEach(() => on.close());

function identityOf(got: ReceivedRequest): (string | undefined)[] {
  return [headerValue(got, 'x-auth-subject'), headerValue(got, 'x-auth-permissions')];
}

describe('what a service is told of who asks', () => {
  it('the subject, and the permissions separated by spaces', async () => {
    on = await stage({ auth: BOB, route: GUARDED });
    expect((await on.ask('GET /x', KEY)).status).toBe(200);
    expect(identityOf(on.got())).toEqual(['bob', 'orders:read orders:write']);
    expect(headerValue(on.got(), 'x-api-key')).toBeUndefined();
  });

  it.each([
    ['José', 'Jos%C3%A9'],
    ['a b', 'a%20b'],
    ['100%', '100%25'],
    ['a,b', 'a%2Cb'],
    ['a\r\nx-auth-permissions: admin', 'a%0D%0Ax-auth-permissions:%20admin'],
    ['\u{1F600}~!"#$&\'()*+-./:;<=>?@[\\]^_`{|}', '%F0%9F%98%80~!"#$&\'()*+-./:;<=>?@[\\]^_`{|}'],
  ])('the subject %j percent-encoded outside of ! to ~, and % and ,', async (subject, told) => {
    on = await stage({ auth: keys({ subject, permissions: [subject, 'x'] }), route: GUARDED });
    expect((await on.ask('GET /x', KEY)).status).toBe(200);
    expect(identityOf(on.got())).toEqual([told, `${told} x`]);
  });

  it('no subject, no header', async () => {
    on = await stage({ auth: keys({ permissions: ['a'] }), route: GUARDED });
    await on.ask('GET /x', KEY);
    expect(identityOf(on.got())).toEqual([undefined, 'a']);
  });

  it('nothing of nobody, where a credential is optional', async () => {
    on = await stage({ auth: BOB, route: { auth: { with: 'keys', optional: true } } });
    expect((await on.ask('GET /x', 'x-auth-subject: admin')).status).toBe(200);
    expect(identityOf(on.got())).toEqual([undefined, undefined]);
  });

  it('under the names that the config gives', async () => {
    on = await stage({
      auth: BOB,
      route: GUARDED,
      more: { identity: { subject: 'x-user', permissions: 'X-Rights' } },
    });
    await on.ask('GET /x', KEY, 'X_User: admin', 'x.rights: all', 'x-auth-subject: admin');
    const got = on.got();
    expect([headerValues(got, 'x-user'), headerValues(got, 'x-rights')]).toEqual([
      ['bob'],
      ['orders:read orders:write'],
    ]);
    expect(got.headers.map(([name]) => name.toLowerCase())).not.toContain('x_user');
    expect(got.headers.map(([name]) => name.toLowerCase())).not.toContain('x.rights');
    expect(headerValue(got, 'x-auth-subject')).toBeUndefined();
  });
});

describe('attacks: a client that says who it is', () => {
  const SPELLINGS = [
    'x-auth-subject',
    'X-AUTH-SUBJECT',
    'X_Auth_Subject',
    'x-auth_subject',
    'x.auth.subject',
    'X!Auth~Subject',
    'x-auth-permissions',
    'X_AUTH_PERMISSIONS',
    'x|auth|permissions',
  ];
  const RULES = [
    ['an open route', {}],
    ['a guarded route', GUARDED],
    [
      'a route with transforms',
      { request: { headers: { set: { 'x-a': '1' }, only: ['x-b', 'x-auth-subject'] } } },
    ],
  ] as const;

  for (const [what, route] of RULES) {
    it.each(SPELLINGS)(`identity header as %s, on ${what}, never passes`, async (name) => {
      on = await stage({ auth: BOB, route });
      expect((await on.ask('GET /x', KEY, `${name}: admin`, `${name}: root`)).status).toBe(200);
      const values = on.got().headers.map(([, value]) => value);
      expect(values).not.toContain('admin');
      expect(values).not.toContain('root');
    });
  }

  it('identity headers before and behind the gateway’s own: one line each', async () => {
    on = await stage({ auth: BOB, route: GUARDED });
    await on.ask('GET /x', 'x-auth-subject: admin', KEY, 'X-Auth-Subject: admin', 'x-auth-permissions: all');
    expect(headerValues(on.got(), 'x-auth-subject')).toEqual(['bob']);
    expect(headerValues(on.got(), 'x-auth-permissions')).toEqual(['orders:read orders:write']);
  });

  it('identity header with white space before its colon is refused (RFC 9112 §5.1)', async () => {
    on = await stage({ auth: BOB, route: GUARDED });
    expect((await on.ask('GET /x', KEY, 'x-auth-subject : admin')).status).toBe(400);
    expect(on.service.requests).toEqual([]);
  });

  it('Connection: x-auth-subject does not take the gateway’s own away (RFC 9110 §7.6.1)', async () => {
    on = await stage({ auth: BOB, route: GUARDED });
    await on.ask(
      'GET /x',
      KEY,
      'Connection: x-auth-subject, x-auth-permissions, close',
      'x-auth-subject: admin',
    );
    expect(identityOf(on.got())).toEqual(['bob', 'orders:read orders:write']);
  });

  it.each([
    ['x-auth-subject', {}],
    ['X_Auth_Subject', {}],
    ['x-user', { identity: { subject: 'x-user' } }],
  ])('identity header %s in the trailers of a body never passes (RFC 9110 §6.5.1)', async (name, more) => {
    on = await stage({ auth: BOB, route: GUARDED, more });
    const client = await rawClient({ port: on.gateway.port });
    await client.send(
      `POST /x HTTP/1.1\r\nHost: shop.test\r\n${KEY}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${name}: admin\r\nx-kept: yes\r\n\r\n`,
    );
    expect((await client.response()).status).toBe(200);
    const got = on.got();
    expect(await got.complete).toBe(true);
    expect(got.trailers.map(([field]) => field.toLowerCase())).toEqual(['x-kept']);
    client.close();
  });

  it('identity header in trailers behind content of a known length never passes (RFC 9113 §8.1)', async () => {
    const trailers: string[][] = [];
    const service = await http2Origin(({ stream }) => {
      stream.on('trailers', (fields) => trailers.push(Object.keys(fields)));
      stream.on('end', () => stream.respond({ ':status': 204 }, { endStream: true }));
      stream.resume();
    });
    on = await stage({
      auth: BOB,
      routes: { all: { match: '/*', to: 'modern', ...GUARDED } },
      more: {
        listen: [{ name: 'front', address: '127.0.0.1:0', http2: true }],
        services: { modern: { url: service.url } },
        identity: { subject: 'x-user' },
      },
    });
    const client = await Http2Client.open(`http://127.0.0.1:${on.gateway.port}`);
    const fields = { ':method': 'PUT', ':path': '/', 'x-api-key': 'k1', 'content-length': '3' };
    const stream = client.session.request(fields, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-user': 'admin', 'x-kept': 'yes' }));
    stream.end('abc');
    expect((await answered(stream)).status).toBe(204);
    expect(trailers).toEqual([['x-kept']]);
    await client[Symbol.asyncDispose]();
    await service.close();
  });

  it('what the provider of the route answers with is not taken from trailers (RFC 9110 §6.5.1)', async () => {
    const verify = await scriptedOrigin(answer(200, [['X-User', 'bob']]));
    const forward = { forward: { url: verify.url, responseHeaders: ['x-user', 'x-groups'] } };
    on = await stage({ auth: { forward }, route: { auth: { with: 'forward' } } });
    const client = await rawClient({ port: on.gateway.port });
    await client.send(
      'POST /x HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX_User: admin\r\nx-groups: root\r\nx-kept: yes\r\n\r\n',
    );
    expect((await client.response()).status).toBe(200);
    const got = on.got();
    expect(await got.complete).toBe(true);
    expect(headerValues(got, 'x-user')).toEqual(['bob']);
    expect(got.trailers.map(([field]) => field.toLowerCase())).toEqual(['x-kept']);
    client.close();
    await verify.close();
  });

  it('what a provider answers with for one route is not taken from a client on another', async () => {
    const forward = {
      forward: { url: 'http://127.0.0.1:9/verify', responseHeaders: ['x-user', 'authorization'] },
    };
    on = await stage({
      auth: { ...BOB, forward },
      routes: {
        open: { match: '/open', to: 'shop' },
        other: { match: '/x', to: 'shop', auth: { with: 'forward' } },
      },
    });
    expect(
      (await on.ask('GET /open', 'X-User: admin', 'x_user: root', 'Authorization: Bearer mine')).status,
    ).toBe(200);
    const values = on.got().headers.map(([, value]) => value);
    expect(values).not.toContain('admin');
    expect(values).not.toContain('root');
    expect(values).toContain('Bearer mine');
  });
});

describe('who asks, signed by the gateway', () => {
  const SIGNED = { auth: { with: 'keys', forwardAs: 'jwt' } };
  const keySet = async () => {
    const response = await on.ask('GET /.well-known/jwks.json');
    expect(response.status).toBe(200);
    expect(headerValue(response, 'content-type')).toBe('application/jwk-set+json');
    return JSON.parse(response.body.toString()) as JSONWebKeySet;
  };
  const token = () => headerValue(on.got(), 'authorization')!.replace(/^Bearer /, '');
  const verified = async (jwt = token()) =>
    jwtVerify(jwt, createLocalJWKSet(await keySet()), {
      audience: 'shop',
      issuer: 'tidegate',
      typ: 'JWT',
      currentDate: new Date(on.clock.wall()),
    });

  it('a token for this service, for 60 s, that its key set proves, in place of the headers', async () => {
    on = await stage({ auth: BOB, route: SIGNED });
    expect(
      (await on.ask('GET /x', KEY, 'Authorization: Bearer forged', 'x-auth-subject: admin')).status,
    ).toBe(200);
    const { payload, protectedHeader } = await verified();
    expect(protectedHeader.alg).toBe('EdDSA');
    expect(payload).toMatchObject({ sub: 'bob', aud: 'shop', permissions: ['orders:read', 'orders:write'] });
    expect(payload.exp! - payload.iat!).toBe(60);
    expect(headerValues(on.got(), 'authorization')).toHaveLength(1);
    expect(identityOf(on.got())).toEqual([undefined, undefined]);
  });

  it('the private half of a key is never told (RFC 7517 §9.2)', async () => {
    on = await stage({ auth: BOB, route: SIGNED });
    for (const key of (await keySet()).keys) expect(Object.keys(key)).not.toContain('d');
  });

  it('the same token while it is young, another one in time', async () => {
    on = await stage({ auth: BOB, route: SIGNED });
    await on.ask('GET /x', KEY);
    const first = token();
    on.clock.advance(29_000);
    await on.ask('GET /x', KEY);
    expect(token()).toBe(first);
    on.clock.advance(2_000);
    await on.ask('GET /x', KEY);
    expect(token()).not.toBe(first);
    await verified(first);
    await verified();
  });

  it('each service gets a token of its own, of no use with another (RFC 8725 §3.9)', async () => {
    on = await stage({ auth: BOB, routes: {} });
    await on.close();
    on = await stage({
      auth: BOB,
      routes: { all: { match: '/*', to: 'shop', ...SIGNED } },
    });
    await on.ask('GET /x', KEY);
    const set = createLocalJWKSet(await keySet());
    await expect(
      jwtVerify(token(), set, { audience: 'other', currentDate: new Date(on.clock.wall()) }),
    ).rejects.toThrow(/aud/);
  });

  it('keys change each day; a token from before the change is still proven, the next key is told ahead', async () => {
    on = await stage({ auth: BOB, route: SIGNED });
    on.clock.advance(24 * 3_600_000 - 1_000);
    await on.ask('GET /x', KEY);
    const before = token();
    const ahead = (await keySet()).keys.map(({ kid }) => kid);
    on.clock.advance(2_000);
    await on.ask('GET /x', KEY);
    expect(decodeProtectedHeader(token()).kid).not.toBe(decodeProtectedHeader(before).kid);
    expect(ahead).toContain(decodeProtectedHeader(token()).kid);
    await verified(before);
    await verified();
  });

  it('a key of the config signs; after a reload the one before it is still told', async () => {
    const pem = async (alg: string) =>
      exportPKCS8((await generateKeyPair(alg, { extractable: true })).privateKey);
    const config = (key: string) => ({ more: { signing: { key } } });
    on = await stage({ auth: BOB, route: SIGNED, ...config(await pem('ES256')) });
    await on.ask('GET /x', KEY);
    expect((await verified()).protectedHeader.alg).toBe('ES256');
    const first = token();
    await on.gateway.reload({
      services: { shop: { url: on.service.url } },
      auth: BOB,
      routes: { all: { match: '/*', to: 'shop', ...SIGNED } },
      signing: { key: await pem('EdDSA') },
    });
    await on.ask('GET /x', KEY);
    expect((await verified()).protectedHeader.alg).toBe('EdDSA');
    await verified(first);
    on.clock.advance(11 * 60_000);
    expect((await keySet()).keys).toHaveLength(1);
  });

  it('a guard over every route does not hide the key set; a route that names its path takes it', async () => {
    on = await stage({ auth: BOB, defaults: SIGNED });
    await keySet();
    await on.close();
    on = await stage({
      auth: BOB,
      routes: {
        own: { match: '/.well-known/jwks.json', to: 'shop' },
        all: { match: '/*', to: 'shop', ...SIGNED },
      },
    });
    expect((await on.ask('GET /.well-known/jwks.json')).body.toString()).toBe('ok');
  });

  it('no key set where nothing is signed', async () => {
    on = await stage({ auth: BOB, route: GUARDED });
    expect((await on.ask('GET /.well-known/jwks.json')).status).toBe(401);
  });
});
