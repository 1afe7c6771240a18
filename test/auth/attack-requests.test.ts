/** Requests that try to get past a guard without a token that counts. One attack a row; none may reach `/admin`. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerValues, rawClient } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

let on: Stage;
beforeAll(async () => {
  on = await stage({
    auth: {
      keys: {
        apiKey: {
          from: [{ header: 'authorization' }, { header: 'x-api-key' }, { cookie: 'key' }],
          keys: [{ hash: `sha256:${hash('right')}`, subject: 'robot' }],
        },
      },
    },
    routes: {
      public: { match: '/public/*', to: 'shop' },
      root: { match: '/', to: 'shop' },
      admin: { match: '/admin/*', to: 'shop', auth: { with: 'keys' } },
      maybe: { match: '/maybe', to: 'shop', auth: { with: 'keys', optional: true } },
      item: { match: { path: '/items/{id}', method: 'GET' }, to: 'shop' },
      itemDelete: { match: { path: '/items/{id}', method: 'DELETE' }, to: 'shop', auth: { with: 'keys' } },
    },
  });
});
afterAll(() => on.close());

/** Bytes as they stand; the gateway must answer with one of these, and must not have let it reach what is guarded. */
async function attack(bytes: string): Promise<number> {
  const before = on.service.requests.length;
  const client = await rawClient({ port: on.gateway.port });
  await client.send(bytes);
  const { status } = await client.response(bytes.split(' ')[0]!);
  client.close();
  for (const request of on.service.requests.slice(before)) {
    expect(decodeURIComponent(request.target.split('?')[0]!)).not.toMatch(/^\/+admin/i);
    expect(request.method).not.toBe('DELETE');
  }
  return status;
}
const head = (line: string, ...lines: string[]) =>
  `${[line, 'Host: shop.test', ...lines].join('\r\n')}\r\n\r\n`;

describe('the requests that all of these are made of', () => {
  it('pass', async () => {
    expect((await on.ask('GET /public/x')).status).toBe(200);
    expect((await on.ask('GET /admin/x', 'Authorization: right')).status).toBe(200);
  });
});

describe('path confusion between the policy and the service (RFC 3986 §6.2.2)', () => {
  it.each([
    '/admin',
    '/admin/',
    '/admin/x',
    '//admin/x',
    '/./admin/x',
    '/public/../admin/x',
    '/public/%2e%2e/admin/x',
    '/public/%2E%2E/admin/x',
    '/public/.%2e/admin/x',
    '/public/..%2fadmin/x',
    '/public/..%2Fadmin%2Fx',
    '/public/%2e%2e%2fadmin/x',
    '/public/..%5cadmin/x',
    '/public\\..\\admin/x',
    '/public/..;/admin/x',
    '/public/;/../admin/x',
    '/public/%252e%252e/admin/x',
    '/%61dmin/x',
    '/%2561dmin/x',
    '/admin%2fx',
    '/admin;a=b/x',
    '/admin%00/x',
    '/public/%00/../../admin/x',
    '/admin%20/x',
    '/public/..%c0%afadmin/x',
    '/public/..%ef%bc%8fadmin/x',
    '/admin/x#/public/',
    'http://shop.test/admin/x',
    'http://shop.test//admin/x',
  ])('%s does not reach what is guarded', async (target) => {
    const status = await attack(head(`GET ${target} HTTP/1.1`));
    expect([200, 400, 401, 404]).toContain(status);
    // What passes was taken by the open route, and is what that route stands for.
    if (status === 200) expect(on.service.requests.at(-1)!.target).toMatch(/^\/public\//);
  });
});

describe('methods', () => {
  it.each(['HEAD', 'OPTIONS', 'TRACE', 'POST', 'PATCH', 'PROPFIND', 'get', 'FOO'])(
    '%s is guarded as GET is (RFC 9110 §9)',
    async (method) => {
      expect(await attack(head(`${method} /admin/x HTTP/1.1`, 'Content-Length: 0'))).toBe(401);
    },
  );

  it.each([
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X_HTTP_Method_Override',
    'x-http-METHOD-override',
  ])('%s leads from an open method to no guarded one', async (name) => {
    expect(await attack(head('GET /items/7 HTTP/1.1', `${name}: DELETE`))).toBe(200);
    expect(on.service.requests.at(-1)!.raw.toString()).not.toMatch(/override|x-http-method/i);
  });

  it.each(['X-Original-URL', 'X-Rewrite-URL', 'X_Original_URL'])(
    '%s leads from an open path to no guarded one',
    async (name) => {
      expect(await attack(head('GET /public/x HTTP/1.1', `${name}: /admin/x`))).toBe(200);
      expect(on.service.requests.at(-1)!.raw.toString()).not.toMatch(/admin/i);
    },
  );

  it('an upgrade is guarded as GET is (RFC 9110 §7.8)', async () => {
    expect(await attack(head('GET /admin/x HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'))).toBe(
      401,
    );
  });

  it('a client that waits for 100-continue is refused before it sends anything (RFC 9110 §10.1.1)', async () => {
    expect(
      await attack(head('POST /admin/x HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 1000000')),
    ).toBe(401);
  });
});

describe('credentials', () => {
  it.each<[string, string[], number]>([
    ['two Authorization headers (RFC 9110 §11.6.2)', ['Authorization: wrong', 'Authorization: right'], 400],
    ['two in other spellings', ['authorization: right', 'AUTHORIZATION: right'], 400],
    ['two Authorization headers, equal', ['Authorization: right', 'Authorization: right'], 400],
    ['a header of the provider’s, twice', ['X-Api-Key: right', 'X-Api-Key: wrong'], 400],
    ['its cookie, twice', ['Cookie: key=wrong; key=right'], 400],
    ['its cookie, in two lines', ['Cookie: key=right', 'Cookie: key=wrong'], 400],
    ['blanks before the colon (RFC 9112 §5.1)', ['Authorization : right'], 400],
    ['a folded line (RFC 9112 §5.2)', ['Authorization:', ' right'], 400],
    ['an underscore in the name', ['X_Api_Key: right'], 401],
    ['the hash in the place of the key', [`X-Api-Key: ${hash('right')}`], 401],
    ['the hash as the config spells it', [`X-Api-Key: sha256:${hash('right')}`], 401],
    ['a beginning of the key', ['X-Api-Key: righ'], 401],
    ['the key and more', ['X-Api-Key: right1'], 401],
    ['a list of keys', ['X-Api-Key: wrong, right'], 401],
    ['an empty key', ['X-Api-Key:'], 401],
    ['a trailer', ['Transfer-Encoding: chunked', 'Trailer: X-Api-Key'], 401],
    [
      'the right key as a Basic password',
      [`Authorization: Basic ${Buffer.from('a:right').toString('base64')}`],
      401,
    ],
    ['Proxy-Authorization', ['Proxy-Authorization: right'], 401],
    ['X-Forwarded-Authorization', ['X-Forwarded-Authorization: right'], 401],
    [
      'a key named by Connection, so that it ends at the gateway (RFC 9110 §7.6.1)',
      ['X-Api-Key: wrong', 'Connection: X-Api-Key'],
      401,
    ],
  ])('%s', async (_name, lines, status) => {
    const chunked = lines.some((line) => line.startsWith('Transfer-Encoding'));
    const body = chunked ? '0\r\nX-Api-Key: right\r\n\r\n' : '';
    expect(
      await attack(
        head('POST /admin/x HTTP/1.1', ...lines, ...(chunked ? [] : ['Content-Length: 0'])) + body,
      ),
    ).toBe(status);
  });

  it.each(['access_token=right', 'x-api-key=right', 'authorization=right', 'apikey=right'])(
    '?%s counts as none (RFC 6750 §2.3)',
    async (query) => {
      expect(await attack(head(`GET /admin/x?${query} HTTP/1.1`))).toBe(401);
    },
  );

  it('a token in the body counts as none (RFC 6750 §2.2)', async () => {
    const body = 'access_token=right';
    const lines = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`];
    expect(await attack(head('POST /admin/x HTTP/1.1', ...lines) + body)).toBe(401);
  });

  it('a bad credential is not as good as none, where none would do', async () => {
    expect((await on.ask('GET /maybe')).status).toBe(200);
    expect((await on.ask('GET /maybe', 'Authorization: Bearer x')).status).toBe(401);
  });

  it('a key that counts goes no further than the gateway, nor does one beside it', async () => {
    await on.ask(
      'GET /admin/x',
      'Authorization: right',
      'X-Api-Key: other',
      'X_API_KEY: other',
      'Cookie: key=other; a=1',
    );
    const got = on.service.requests.at(-1)!;
    expect(got.raw.toString()).not.toMatch(/right|other/);
    expect(headerValues(got, 'cookie')).toEqual(['a=1']);
  });
});
