/** Signed tokens as an attacker would make them, against a real OpenID Connect server's keys. One attack a row. */
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { CompactEncrypt, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpOrigin, httpOrigin, ManualClock } from '../../src/testkit/index.ts';
import { type OidcServer, oidcServer } from './oidc-server.ts';
import { type Stage, stage } from './stage.ts';

let server: OidcServer;
let evil: HttpOrigin;
let on: Stage;
let good: string;

beforeAll(async () => {
  server = await oidcServer();
  evil = await httpOrigin((_request, response) => void response.end('{"keys":[]}'));
  on = await stage({
    auth: { jwt: { jwt: { issuer: server.issuer, audience: 'orders' } } },
    route: { auth: { with: 'jwt' } },
    clock: new ManualClock(Date.now()),
  });
  good = await server.token('jwt');
});
afterAll(async () => {
  await on.close();
  await evil.close();
  await server.close();
});

const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(on.clock.wall() / 1000);
const claims = (more: object = {}): object => ({
  iss: server.issuer,
  aud: 'orders',
  sub: 'robot',
  iat: seconds(),
  exp: seconds() + 300,
  ...more,
});
const without = (name: string) => ({ [name]: undefined });

/** Signed with the server's own RSA key: valid but for what is given. */
const signed = async (more: object = {}, header: object = {}) =>
  await new SignJWT(claims(more) as never)
    .setProtectedHeader({ alg: 'RS256', kid: 'rs', typ: 'at+jwt', ...header })
    .sign(server.keys.rs);

/** The same for header and payload that no library would write. */
const signedRaw = (header: string, payload: string): string => {
  const text = `${b64(header)}.${b64(payload)}`;
  const signature = signBytes('sha256', Buffer.from(text), server.keys.rs as never);
  return `${text}.${signature.toString('base64url')}`;
};
const HEADER = '{"alg":"RS256","kid":"rs"}';
const hmac = (header: object, secret: string | Buffer): string => {
  const text = `${b64({ alg: 'HS256', ...header })}.${b64(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const mine = generateKeyPairSync('rsa', { modulusLength: 2048 });
const byMe = async (header: object = {}) =>
  await new SignJWT(claims() as never)
    .setProtectedHeader({ alg: 'RS256', kid: 'rs', ...header })
    .sign(mine.privateKey);
const myJwk = () => mine.publicKey.export({ format: 'jwk' });
const publicPem = () =>
  createPublicKey({ key: server.published[0] as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
const tampered = (part: number, change: (text: string) => string) =>
  good
    .split('.')
    .map((text, index) => (index === part ? change(text) : text))
    .join('.');

const ask = async (token: string) => (await on.ask('GET /x', `Authorization: Bearer ${token}`)).status;

describe('the token that all of these are made of', () => {
  it('passes', async () => {
    expect(await ask(good)).toBe(200);
    expect(await ask(await signed())).toBe(200);
    expect(await ask(signedRaw(HEADER, JSON.stringify(claims())))).toBe(200);
  });
});

type Attack = readonly [name: string, token: () => string | Promise<string>];

const ALGORITHMS: Attack[] = [
  ['alg none, without a signature (RFC 8725 §3.2)', () => `${b64({ alg: 'none' })}.${b64(claims())}.`],
  [
    'alg none, with the signature of another token',
    () => `${b64({ alg: 'none' })}.${b64(claims())}.${good.split('.')[2]}`,
  ],
  ['alg None', () => `${b64({ alg: 'None' })}.${b64(claims())}.AAAA`],
  ['alg NONE', () => `${b64({ alg: 'NONE' })}.${b64(claims())}.AAAA`],
  ['alg missing', () => signedRaw('{"kid":"rs"}', JSON.stringify(claims()))],
  ['alg a number', () => signedRaw('{"alg":256,"kid":"rs"}', JSON.stringify(claims()))],
  ['alg in lower case', () => signedRaw('{"alg":"rs256","kid":"rs"}', JSON.stringify(claims()))],
  ['HMAC with the public key, PEM, as the secret (RFC 8725 §2.1)', () => hmac({ kid: 'rs' }, publicPem())],
  [
    'HMAC with the public key, PEM without its final line break',
    () => hmac({ kid: 'rs' }, publicPem().toString().trim()),
  ],
  ['HMAC with the public JWK as the secret', () => hmac({ kid: 'rs' }, JSON.stringify(server.published[0]))],
  [
    'HMAC with the modulus as the secret',
    () => hmac({ kid: 'rs' }, Buffer.from(server.published[0]!.n!, 'base64url')),
  ],
  ['HMAC with an empty secret', () => hmac({ kid: 'rs' }, '')],
  [
    'RS256 signature that calls itself PS256 (RFC 8725 §3.1)',
    () => signedRaw('{"alg":"PS256","kid":"rs"}', JSON.stringify(claims())),
  ],
  [
    'RS256 signature that calls itself RS512',
    () => signedRaw('{"alg":"RS512","kid":"rs"}', JSON.stringify(claims())),
  ],
  [
    'RS256 signature that calls itself ES256',
    () => signedRaw('{"alg":"ES256","kid":"rs"}', JSON.stringify(claims())),
  ],
  [
    'ES256 key used under the RSA key’s kid',
    async () =>
      await new SignJWT(claims() as never)
        .setProtectedHeader({ alg: 'ES256', kid: 'rs' })
        .sign(server.keys.es),
  ],
  [
    'ES256 with r = s = 0 (CVE-2022-21449)',
    () => `${b64({ alg: 'ES256', kid: 'es' })}.${b64(claims())}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  [
    'ES256 signature in DER',
    () => {
      const text = `${b64({ alg: 'ES256', kid: 'es' })}.${b64(claims())}`;
      return `${text}.${signBytes('sha256', Buffer.from(text), server.keys.es as never).toString('base64url')}`;
    },
  ],
];

const KEYS: Attack[] = [
  ['a key of the attacker’s own, under the right kid', () => byMe()],
  ['a key of the attacker’s own, in jwk (RFC 7515 §4.1.3)', () => byMe({ jwk: myJwk() })],
  [
    'a key of the attacker’s own, behind jku (RFC 7515 §4.1.2)',
    () => byMe({ jku: `${evil.url}/keys`, kid: 'evil' }),
  ],
  ['a key of the attacker’s own, behind x5u (RFC 7515 §4.1.5)', () => byMe({ x5u: `${evil.url}/cert` })],
  ['a certificate of the attacker’s own, in x5c (RFC 7515 §4.1.6)', () => byMe({ x5c: ['MIIB'] })],
  ['a kid that is a path', () => hmac({ kid: '../../../../dev/null' }, '')],
  ['a kid that is SQL', () => byMe({ kid: "x' UNION SELECT 'key" })],
  ['a kid that is a URL', () => byMe({ kid: `${evil.url}/key` })],
  ['a kid that is no text', () => byMe({ kid: 7 as never })],
  ['a kid that is a member of every object', () => byMe({ kid: '__proto__' })],
  ['no kid at all, signed by someone else', () => byMe({ kid: undefined })],
];

const CLAIMS: Attack[] = [
  ['run out (RFC 7519 §4.1.4)', () => signed({ exp: seconds() - 60 })],
  ['without exp', () => signed(without('exp'))],
  ['exp a text', () => signed({ exp: String(seconds() + 300) as never })],
  ['exp null', () => signed({ exp: null as never })],
  ['exp negative', () => signed({ exp: -1 })],
  [
    'exp beyond all numbers',
    () => signedRaw(HEADER, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
  ],
  ['nbf to come (RFC 7519 §4.1.5)', () => signed({ nbf: seconds() + 60 })],
  ['nbf a text', () => signed({ nbf: 'soon' as never })],
  ['iat to come', () => signed({ iat: seconds() + 60 })],
  ['of another issuer (RFC 8725 §3.8)', () => signed({ iss: 'https://evil.test' })],
  ['of an issuer with a slash more', () => signed({ iss: `${server.issuer}/` })],
  ['of an issuer in capitals', () => signed({ iss: server.issuer.toUpperCase() })],
  ['of a list of issuers', () => signed({ iss: [server.issuer] as never })],
  ['without an issuer', () => signed(without('iss'))],
  ['for another audience (RFC 8725 §3.9)', () => signed({ aud: 'billing' })],
  ['for an audience that begins alike', () => signed({ aud: 'orders-admin' })],
  ['for a list of others', () => signed({ aud: ['billing', 'stock'] })],
  ['for a list with something that is no text', () => signed({ aud: ['orders', 1] as never })],
  ['for an object', () => signed({ aud: { orders: true } as never })],
  ['for nobody', () => signed(without('aud'))],
  ['without a subject', () => signed(without('sub'))],
  ['with an empty subject', () => signed({ sub: '' })],
  ['with a subject that is a number', () => signed({ sub: 1 as never })],
  ['a logout token (RFC 8725 §3.11)', () => signed({}, { typ: 'logout+jwt' })],
  ['a DPoP proof', () => signed({}, { typ: 'dpop+jwt' })],
  ['an introspection answer', () => signed({}, { typ: 'token-introspection+jwt' })],
  ['bound to a key that was not shown (RFC 9449 §7.1)', () => signed({ cnf: { jkt: 'abc' } })],
  ['bound to a certificate that was not shown (RFC 8705 §3)', () => signed({ cnf: { 'x5t#S256': 'abc' } })],
];

const FORMS: Attack[] = [
  [
    'crit with an extension (RFC 7515 §4.1.11)',
    () => signedRaw('{"alg":"RS256","kid":"rs","crit":["x"],"x":1}', JSON.stringify(claims())),
  ],
  ['crit empty', () => signedRaw('{"alg":"RS256","kid":"rs","crit":[]}', JSON.stringify(claims()))],
  [
    'b64 false (RFC 7797 §6)',
    () => signedRaw('{"alg":"RS256","kid":"rs","crit":["b64"],"b64":false}', JSON.stringify(claims())),
  ],
  [
    'a claim that stands twice (RFC 7519 §4)',
    () => signedRaw(HEADER, `{"sub":"admin",${JSON.stringify(claims()).slice(1)}`),
  ],
  [
    'a header that stands twice (RFC 7515 §4)',
    () => signedRaw('{"alg":"none","alg":"RS256","kid":"rs"}', JSON.stringify(claims())),
  ],
  ['a payload that is a list', () => signedRaw(HEADER, '[]')],
  ['a payload that is null', () => signedRaw(HEADER, 'null')],
  ['a payload nested ten thousand deep', () => signedRaw(HEADER, '['.repeat(5000))],
  [
    'a payload that is not UTF-8',
    () => {
      const text = `${b64(HEADER)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`;
      return `${text}.AAAA`;
    },
  ],
  ['another subject under the same signature', () => tampered(1, () => b64(claims({ sub: 'admin' })))],
  ['a signature cut short', () => tampered(2, (text) => text.slice(0, -4))],
  ['a signature with bytes behind it', () => tampered(2, (text) => `${text}AAAA`)],
  ['no signature', () => tampered(2, () => '')],
  ['padding (RFC 7515 §2)', () => tampered(2, (text) => `${text}==`)],
  [
    'bits left over in the last character (RFC 4648 §3.5)',
    () =>
      tampered(2, (text) => text.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[text.at(-1)!] ?? '!')),
  ],
  ['characters of the other base64', () => tampered(1, (text) => `+/${text.slice(2)}`)],
  ['two parts', () => good.split('.').slice(0, 2).join('.')],
  ['four parts', () => `${good}.AAAA`],
  [
    'an encrypted token (RFC 7516)',
    async () =>
      await new CompactEncrypt(Buffer.from(JSON.stringify(claims())))
        .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
        .encrypt(createPublicKey({ key: server.published[0] as never, format: 'jwk' })),
  ],
  ['JSON serialisation (RFC 7515 §7.2)', () => JSON.stringify({ payload: 'AA', signature: 'AA' })],
  ['twenty thousand characters', () => signedRaw(HEADER, JSON.stringify(claims({ x: 'x'.repeat(15_000) })))],
  ['a byte that is no ASCII', () => `${good}\xe9`],
];

describe.each([
  ['algorithm confusion', ALGORITHMS],
  ['key confusion', KEYS],
  ['claims', CLAIMS],
  ['forms', FORMS],
])('%s', (_, attacks) => {
  it.each(attacks)('%s is refused with 401, and reaches nothing', async (_name, token) => {
    const before = on.service.requests.length;
    expect(await ask(await token())).toBe(401);
    expect(on.service.requests.length).toBe(before);
    expect(evil.count()).toBe(0);
  });
});

describe('a claim named like a member of every object', () => {
  it('is a claim, and gives nothing', async () => {
    const text = JSON.stringify(claims()).replace(
      '{',
      '{"__proto__":{"permissions":["admin"]},"constructor":1,',
    );
    expect(await ask(signedRaw(HEADER, text))).toBe(200);
    expect(({} as { permissions?: unknown }).permissions).toBeUndefined();
  });
});
