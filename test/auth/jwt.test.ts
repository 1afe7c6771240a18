import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headerValue, until } from '../../src/testkit/index.ts';
import { type Issuer, issuer, type TokenOptions, token } from './issuer.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
let from: Issuer;
let key: Awaited<ReturnType<Issuer['newKey']>>;

beforeEach(async () => {
  from = await issuer();
  key = await from.newKey('k1');
});
afterEach(async () => {
  await on?.close();
  await from.close();
});

const start = async (jwt: object = {}, options: StageOptions = {}) => {
  on = await stage({
    auth: { jwt: { jwt: { issuer: from.url, audience: 'orders', ...jwt } } },
    route: { auth: { with: 'jwt' } },
    ...options,
  });
};
const now = () => Math.floor(on.clock.wall() / 1000);
const bearer = (text: string) => `Authorization: Bearer ${text}`;
const mint = (claims: Record<string, unknown> = {}, options: Partial<TokenOptions> = {}, by = key) =>
  token(by, { iss: from.url, aud: 'orders', ...claims }, { now: now(), ...options });
const ask = async (text: string) => await on.ask('GET /x', bearer(text));

describe('a token of the issuer', () => {
  it('passes, by keys that the issuer names in its metadata; the next time nobody is asked', async () => {
    await start();
    const good = await mint();
    expect((await ask(good)).status).toBe(200);
    expect((await ask(good)).status).toBe(200);
    expect(from.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect(headerValue(on.got(), 'authorization')).toBeUndefined();
  });

  it('fills auth: subject, permissions from scope, scp and permissions, scopes, claims, provider', async () => {
    const allow =
      'auth.subject == "alice" && auth.permissions == ["a", "b", "c"] && auth.scopes == ["a", "b"] && auth.claims.tenant == 7 && auth.provider == "jwt"';
    await start({}, { route: { auth: { with: 'jwt', allow } } });
    expect((await ask(await mint({ scope: 'a b', permissions: ['b', 'c'], tenant: 7 }))).status).toBe(200);
  });

  it('takes permissions from where a template says, and none from a value of another shape', async () => {
    await start(
      { permissions: '{claims.realm_access.roles}', subject: '{claims.email}' },
      { route: { auth: { with: 'jwt', allow: '"admin" in auth.permissions && auth.subject == "a@x"' } } },
    );
    const status = async (roles: unknown) =>
      (await ask(await mint({ realm_access: { roles }, email: 'a@x' }))).status;
    expect([await status(['admin']), await status('user admin'), await status(['admin', 1])]).toEqual([
      200, 200, 403,
    ]);
    expect(await status({ admin: true })).toBe(403);
  });

  it('is refused once it has run out, also from what is kept', async () => {
    await start();
    const good = await mint();
    expect((await ask(good)).status).toBe(200);
    on.clock.advance(66_000);
    expect((await ask(good)).status).toBe(401);
  });
});

describe('keys', () => {
  it('are known within 30 s of their first token, and an unknown one causes one question in that time', async () => {
    await start();
    await ask(await mint());
    const second = await from.newKey('k2');
    expect((await ask(await mint({}, { kid: 'k2' }, second))).status).toBe(200);
    const third = await from.newKey('k3');
    const asked = from.asked.length;
    expect((await ask(await mint({}, { kid: 'k3' }, third))).status).toBe(401);
    expect((await ask(await mint({}, { kid: 'k4' }, third))).status).toBe(401);
    expect(from.asked.length).toBe(asked);
    on.clock.advance(30_000);
    expect((await ask(await mint({}, { kid: 'k3' }, third))).status).toBe(200);
  });

  it('that are replaced under the same id are known within 30 s, and until then refused without a wait', async () => {
    await start();
    await ask(await mint());
    from.keys = [];
    const other = await from.newKey('k1');
    const theirs = async () => (await ask(await mint({}, {}, other))).status;
    on.clock.advance(29_000);
    expect([await theirs(), from.asked.length]).toEqual([401, 2]);
    on.clock.advance(1000);
    expect(await theirs()).toBe(401);
    await until(() => from.asked.length === 3, 'the keys are asked for again');
    await until(async () => (await theirs()) === 200, 'the new one is known');
    expect((await ask(await mint())).status).toBe(401);
    expect(from.asked.length).toBe(3);
  });

  it('are kept while the issuer is away', async () => {
    await start();
    await ask(await mint());
    await from.origin.close();
    on.clock.advance(3_600_000);
    expect((await ask(await mint())).status).toBe(200);
    expect((await ask(await mint({ jti: '2' }))).status).toBe(200);
  });

  it('that are withdrawn unseat the tokens they have signed', async () => {
    await start();
    const good = await mint({ exp: now() + 86_400 });
    expect((await ask(good)).status).toBe(200);
    from.keys = [];
    await from.newKey('k2');
    on.clock.advance(301_000);
    await ask(good);
    await until(
      () => from.asked.filter((path) => path === '/keys').length === 2,
      'the keys are asked for again',
    );
    on.clock.advance(31_000);
    expect((await ask(good)).status).toBe(401);
  });

  it('that cannot be used are passed over: weak, symmetric, private, malformed', async () => {
    from.keys.unshift(
      { kty: 'oct', k: 'AAAA', kid: 'k1' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'k1' },
      { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'k1' },
      null,
      'text',
    );
    await start();
    expect((await ask(await mint())).status).toBe(200);
  });

  it('may stand in a file, or in a JWK set without metadata', async () => {
    await start({ jwks: `${from.url}/keys` });
    expect((await ask(await mint())).status).toBe(200);
    expect(from.asked).toEqual(['/keys']);
  });

  it('of 100 requests at once with unknown keys cause one question', async () => {
    await start();
    const good = await mint();
    const all = await Promise.all(Array.from({ length: 100 }, () => ask(good)));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect(from.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });
});

describe('where the issuer cannot be asked', () => {
  it('nobody passes: 503, and they do again within 5 s of its recovery', async () => {
    await start();
    from.say = () => ({ status: 500 });
    const response = await ask(await mint());
    expect([response.status, code(response)]).toEqual([503, 'TG_AUTH_UNAVAILABLE']);
    from.say = null;
    on.clock.advance(5000);
    expect((await ask(await mint())).status).toBe(200);
  });

  it.each([
    [
      'metadata of another issuer (RFC 8414 §3.3)',
      '/.well-known/openid-configuration',
      '{"issuer":"https://evil.test","jwks_uri":"https://evil.test/keys"}',
    ],
    [
      'metadata with keys that can be listened to',
      '/.well-known/openid-configuration',
      '{"issuer":"ISSUER","jwks_uri":"http://evil.test/keys"}',
    ],
    ['metadata that is no JSON', '/.well-known/openid-configuration', '<html>'],
    ['keys that are no JWK set', '/keys', '[]'],
    ['10 MB of keys', '/keys', `{"keys":[],"x":"${'x'.repeat(10_000_000)}"}`],
  ])('%s counts as that', async (_, path, body) => {
    await start();
    from.say = (asked) => (asked === path ? { body: body.replace('ISSUER', from.url) } : null);
    expect((await ask(await mint())).status).toBe(503);
  });
});

describe('a client that knows nothing of the issuer (RFC 9728)', () => {
  it('is told in the refusal where to read who gives out tokens', async () => {
    await start();
    const refused = await on.ask('GET /x');
    expect(headerValue(refused, 'www-authenticate')).toBe(
      'Bearer realm="tidegate", resource_metadata="http://shop.test/.well-known/oauth-protected-resource"',
    );
    const told = await on.ask('GET /.well-known/oauth-protected-resource');
    expect([told.status, headerValue(told, 'content-type')]).toEqual([200, 'application/json']);
    expect(JSON.parse(told.body.toString())).toEqual({
      resource: 'http://shop.test',
      authorization_servers: [from.url],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
    });
  });
});

describe('a secret', () => {
  it('checks HMAC, and nothing else', async () => {
    const secret = 'a secret of some forty characters, at least';
    await start({ issuer: undefined, audience: undefined, secret });
    const signed = async (alg: string) =>
      await token(new TextEncoder().encode(secret) as never, {}, { alg, now: now() });
    expect((await ask(await signed('HS256'))).status).toBe(200);
    expect((await ask(await signed('HS512'))).status).toBe(401);
    expect((await ask(await mint())).status).toBe(401);
  });
});
