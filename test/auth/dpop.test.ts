/** Tokens that are bound to a key (RFC 9449), against a real OpenID Connect server that binds them. */
import { hash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerValue, ManualClock, type RawResponse } from '../../src/testkit/index.ts';
import { type OidcServer, oidcServer } from './oidc-server.ts';
import { type Stage, stage } from './stage.ts';

interface Client {
  readonly key: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  readonly jwk: JWK;
  readonly thumbprint: string;
}

let server: OidcServer;
let alice: Client;
let eve: Client;
let on: Stage;
/** Bound to Alice's key, signed and opaque. */
let token: string;
let opaque: string;
let names = 0;

beforeAll(async () => {
  server = await oidcServer();
  alice = await client();
  eve = await client();
  const atServer = () => proofOf({ htm: 'POST', htu: `${server.issuer}/token`, now: Date.now() });
  token = await server.token('jwt', 'orders:read', await atServer());
  opaque = await server.token('opaque', 'orders:read', await atServer());
});
afterAll(() => server.close());
beforeEach(async () => {
  on = await guarded();
});
afterEach(() => on.close());

async function client(): Promise<Client> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return { key: privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk) };
}

async function guarded(more: object = {}): Promise<Stage> {
  return await stage({
    auth: {
      jwt: { jwt: { issuer: server.issuer, audience: 'orders' } },
      main: {
        introspection: {
          endpoint: `${server.issuer}/token/introspection`,
          clientId: 'robot',
          clientSecret: 'robot-secret',
          cache: '30s',
        },
      },
    },
    route: { auth: { with: ['jwt', 'main'] } },
    clock: new ManualClock(Date.now()),
    ...more,
  });
}

interface Proof {
  htm?: unknown;
  htu?: unknown;
  ath?: unknown;
  jti?: unknown;
  iat?: unknown;
  now?: number;
  of?: Client;
  header?: object;
  for?: string;
}

/** Alice's proof for `GET http://shop.test/orders` and her signed token, but for what is given. */
async function proofOf(given: Proof = {}): Promise<string> {
  const of = given.of ?? alice;
  const now = given.now ?? on.clock.wall();
  const { header, of: _of, now: _now, for: shown = token, ...claims } = given;
  const ath = given.htm === 'POST' ? undefined : hash('sha256', shown ?? '', 'base64url');
  return await new SignJWT({
    jti: `proof-${names++}`,
    htm: 'GET',
    htu: 'http://shop.test/orders',
    iat: Math.floor(now / 1000),
    ath,
    ...claims,
  } as never)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: of.jwk, ...header } as JWTHeaderParameters)
    .sign(of.key);
}

const ask = (proof: string, shown = token, line = 'GET /orders'): Promise<RawResponse> =>
  on.ask(line, `Authorization: DPoP ${shown}`, `DPoP: ${proof}`);

const challengeOf = (response: RawResponse): string | undefined => headerValue(response, 'www-authenticate');

describe('a token that is bound to a key', () => {
  it('counts with a proof by that key, and neither reaches the service', async () => {
    const response = await ask(await proofOf());
    expect(response.status).toBe(200);
    expect(headerValue(on.got(), 'x-auth-subject')).toBe('robot');
    expect(headerValue(on.got(), 'authorization')).toBeUndefined();
    expect(headerValue(on.got(), 'dpop')).toBeUndefined();
  });

  it('that reaches too short is told so in the scheme that it was shown by (RFC 9449 §7.1)', async () => {
    await on.close();
    on = await guarded({ route: { auth: { with: ['jwt', 'main'], scopes: 'orders:write' } } });
    for (const shown of [token, opaque]) {
      const response = await ask(await proofOf({ for: shown }), shown);
      expect(response.status).toBe(403);
      expect(challengeOf(response)).toMatch(
        /^DPoP algs="ES256 .*", error="insufficient_scope", scope="orders:write"$/,
      );
    }
  });

  it('counts as the auth server says of an opaque one, also once the decision is kept', async () => {
    for (let i = 0; i < 2; i++) expect((await ask(await proofOf({ for: opaque }), opaque)).status).toBe(200);
    expect((await ask(await proofOf({ for: opaque, of: eve }), opaque)).status).toBe(401);
  });

  it('needs a proof for each request, though the token was seen before', async () => {
    expect((await ask(await proofOf())).status).toBe(200);
    expect((await on.ask('GET /orders', `Authorization: DPoP ${token}`)).status).toBe(401);
    expect((await ask(await proofOf())).status).toBe(200);
  });

  it('goes on with its proof where the route passes tokens on', async () => {
    await on.close();
    on = await guarded({ route: { auth: { with: 'jwt', passToken: true } } });
    const proof = await proofOf();
    expect((await ask(proof)).status).toBe(200);
    expect(headerValue(on.got(), 'dpop')).toBe(proof);
    expect(headerValue(on.got(), 'authorization')).toBe(`DPoP ${token}`);
  });

  it.each([
    ['the default port', 'http://shop.test:80/orders'],
    ['another case of scheme and host', 'HTTP://SHOP.test/orders'],
    ['a query and a fragment, which do not count', 'http://shop.test/orders?a=1#x'],
    ['dot segments and needless encoding', 'http://shop.test/x/../%6Frders'],
  ])('takes a proof whose address is spelled with %s (RFC 9449 §4.3)', async (_, htu) => {
    expect((await ask(await proofOf({ htu }))).status).toBe(200);
  });

  it('counts once for all that an aggregate asks of other routes', async () => {
    await on.close();
    const auth = { with: 'jwt' };
    on = await guarded({
      routes: {
        one: { match: '/one', to: 'shop', auth },
        both: {
          match: '/orders',
          auth,
          aggregate: {
            calls: {
              a: { route: 'one', path: '/one', read: 'text' },
              b: { route: 'one', path: '/one', read: 'text' },
            },
          },
        },
      },
    });
    const response = await ask(await proofOf());
    expect([response.status, response.body.toString()]).toEqual([200, '{"a":"ok","b":"ok"}']);
  });
});

describe('attacks on proofs', () => {
  const symmetric = { kty: 'oct', k: 'c2VjcmV0' };
  const refused: [string, () => Promise<string>][] = [
    ["another key's proof", () => proofOf({ of: eve })],
    ["the bound key shown, another key's signature", () => proofOf({ of: { ...eve, jwk: alice.jwk } })],
    ['another method (htm)', () => proofOf({ htm: 'PUT' })],
    ['a method in another case', () => proofOf({ htm: 'get' })],
    ['another host (htu)', () => proofOf({ htu: 'http://evil.test/orders' })],
    ['another path', () => proofOf({ htu: 'http://shop.test/admin' })],
    ['another scheme', () => proofOf({ htu: 'https://shop.test/orders' })],
    ['another port', () => proofOf({ htu: 'http://shop.test:8080/orders' })],
    ['a host hidden behind user information', () => proofOf({ htu: 'http://shop.test@evil.test/orders' })],
    ['a path alone', () => proofOf({ htu: '/orders' })],
    ['no address', () => proofOf({ htu: undefined })],
    ['another token (ath)', () => proofOf({ ath: hash('sha256', 'other', 'base64url') })],
    ['no token named', () => proofOf({ ath: undefined })],
    ['an hour old (iat)', () => proofOf({ iat: Math.floor(on.clock.wall() / 1000) - 3600 })],
    ['made in the future', () => proofOf({ iat: Math.floor(on.clock.wall() / 1000) + 3600 })],
    ['no time', () => proofOf({ iat: undefined })],
    ['a time that is text', () => proofOf({ iat: 'now' })],
    ['no name (jti)', () => proofOf({ jti: undefined })],
    ['an empty name', () => proofOf({ jti: '' })],
    ['an endless name', () => proofOf({ jti: 'x'.repeat(5000) })],
    ['an access token in its place (typ)', () => proofOf({ header: { typ: 'at+jwt' } })],
    ['no typ', () => proofOf({ header: { typ: undefined } })],
    ['no key', () => proofOf({ header: { jwk: undefined } })],
    ['a private key shown', async () => proofOf({ header: { jwk: { ...alice.jwk, d: 'AAAA' } } })],
    ['a symmetric key', () => proofOf({ header: { jwk: symmetric } })],
    ['a key that is none', () => proofOf({ header: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } } })],
    ['extensions that must be understood', () => proofOf({ header: { crit: ['b64'], b64: true } })],
    ['text', () => Promise.resolve('proof')],
    ['a long text', () => Promise.resolve(`a.${'b'.repeat(20_000)}.c`)],
  ];
  it.each(refused)('%s', async (_, proof) => {
    const response = await ask(await proof());
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toMatch(/^DPoP algs="ES256 .*", error="invalid_dpop_proof"$/);
    expect(on.service.requests).toHaveLength(0);
  });

  it('algorithm none, and a signature by a secret', async () => {
    const proof = await proofOf();
    const [, claims] = proof.split('.');
    const head = (alg: string) =>
      Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: alice.jwk })).toString('base64url');
    for (const alg of ['none', 'HS256']) expect((await ask(`${head(alg)}.${claims}.AAAA`)).status).toBe(401);
  });

  it('shown twice (§11.1)', async () => {
    const proof = await proofOf();
    expect((await ask(proof)).status).toBe(200);
    expect((await ask(proof)).status).toBe(401);
  });

  it('shown again when it is no longer remembered', async () => {
    const proof = await proofOf();
    expect((await ask(proof)).status).toBe(200);
    on.clock.advance(61_000);
    expect((await ask(proof)).status).toBe(401);
  });

  it('two proofs at once', async () => {
    const response = await on.ask(
      'GET /orders',
      `Authorization: DPoP ${token}`,
      `DPoP: ${await proofOf()}`,
      `DPoP: ${await proofOf()}`,
    );
    expect(response.status).toBe(401);
  });

  it('the bound token shown as a bearer token, with and without a proof (§7.2)', async () => {
    const bare = await on.ask('GET /orders', `Authorization: Bearer ${token}`);
    const proved = await on.ask('GET /orders', `Authorization: Bearer ${token}`, `DPoP: ${await proofOf()}`);
    for (const response of [bare, proved]) {
      expect(response.status).toBe(401);
      expect(challengeOf(response)).toMatch(/^DPoP algs="ES256 .*", error="invalid_token"$/);
    }
  });

  it('a token that is bound to nothing, shown as if it were', async () => {
    const plain = await server.token('jwt');
    const response = await ask(await proofOf({ for: plain }), plain);
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toContain('error="invalid_token"');
  });
});
