import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import {
  answer,
  type CertificatePair,
  type Certificates,
  certificates,
  type HttpOrigin,
  headerValue,
  httpOrigin,
  type RawResponse,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

let authority: Certificates;
let stranger: Certificates;
let server: CertificatePair;
let bob: CertificatePair;
let service: ScriptedOrigin;
let gateway: TestGateway;
let auth: HttpOrigin | null = null;

beforeAll(async () => {
  authority = await certificates();
  stranger = await certificates();
  server = await authority.leaf(['front.test']);
  bob = await authority.leaf(['bob', 'bob.shop.test', '10.1.2.3'], { use: 'client' });
  service = await scriptedOrigin(answer(200, [], 'ok'));
});
afterAll(() => service.close());
afterEach(async () => {
  await gateway?.close();
  await auth?.close();
  auth = null;
});

const config = (tls: object, mtls: object = {}, route: object = {}, more: object = {}) => ({
  listen: [{ name: 'front', address: '127.0.0.1:0', tls: { ...server, ...tls } }],
  services: { shop: { url: service.url } },
  auth: { partners: { mtls }, ...more },
  routes: { all: { match: '/*', to: 'shop', auth: { with: 'partners', ...route } } },
});
const start = async (tls: object = {}, mtls: object = {}, route: object = {}, more: object = {}) => {
  gateway = await startTestGateway(
    config({ clientCa: authority.ca, clientAuth: 'optional', ...tls }, mtls, route, more),
  );
};
const ask = async (pair: Partial<CertificatePair> = {}, lines: string[] = []): Promise<RawResponse> => {
  await using client = await rawClient({
    port: gateway.port,
    tls: { ca: authority.ca, servername: 'front.test', ...pair },
  });
  await client.send(`${['GET /x HTTP/1.1', 'Host: front.test', ...lines].join('\r\n')}\r\n\r\n`);
  return await client.response();
};
const thumbprint = ({ cert }: CertificatePair) =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');

describe('client certificates (RFC 8446 §4.3.2)', () => {
  it('the common name is the subject; names and issuer are claims', async () => {
    const allow =
      'auth.subject == "bob" && auth.claims.dn == "CN=bob" && "bob.shop.test" in auth.claims.san.dns && auth.claims.san.ip == ["10.1.2.3"] && auth.claims.issuer == "CN=Test authority"';
    await start({}, {}, { allow });
    expect((await ask(bob)).status).toBe(200);
    expect(headerValue(service.requests.at(-1)!, 'x-auth-subject')).toBe('bob');
  });

  it('templates say otherwise', async () => {
    await start(
      {},
      { subject: '{claims.san.dns[1]}', permissions: 'orders:read' },
      { permissions: ['orders:read'] },
    );
    expect((await ask(bob)).status).toBe(200);
    expect(headerValue(service.requests.at(-1)!, 'x-auth-subject')).toBe('bob.shop.test');
  });

  it('401 without one where it is optional', async () => {
    await start();
    expect((await ask()).status).toBe(401);
  });

  it('no connection without one where it is required, which is the default', async () => {
    gateway = await startTestGateway(config({ clientCa: authority.ca }));
    await expect(ask()).rejects.toThrow();
    expect((await ask(bob)).status).toBe(200);
  });

  it.each([
    ['of a stranger’s authority', () => stranger.leaf(['bob'], { use: 'client' })],
    ['that has run out', () => authority.leaf(['bob'], { use: 'client', expired: true })],
    ['for servers', () => authority.leaf(['bob'])],
  ])('attack: a certificate %s is refused, optional or not (RFC 5280 §6)', async (_what, make) => {
    const pair = await make();
    for (const clientAuth of ['optional', 'required']) {
      await start({ clientAuth });
      const before = service.requests.length;
      await expect(ask(pair)).rejects.toThrow();
      expect(service.requests).toHaveLength(before);
      await gateway.close();
    }
  });

  it('a reload changes whose certificates are taken, for connections to come', async () => {
    await start();
    expect((await ask(bob)).status).toBe(200);
    await gateway.reload(config({ clientCa: stranger.ca, clientAuth: 'required' }));
    await expect(ask(bob)).rejects.toThrow();
    expect((await ask(await stranger.leaf(['eve'], { use: 'client' }))).status).toBe(200);
  });

  it('attack: a header that says what a certificate would (Client-Cert, RFC 9440 §2.4) makes nobody', async () => {
    await start();
    expect(
      (
        await ask({}, [
          'Client-Cert: :AAAA:',
          'X-SSL-Client-S-DN: CN=bob',
          'X-Forwarded-Client-Cert: Subject="CN=bob"',
        ])
      ).status,
    ).toBe(401);
  });
});

describe('tokens bound to a certificate (RFC 8705 §3)', () => {
  const bound = async (cnf: unknown) => {
    auth = await httpOrigin((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ active: true, sub: 'bob', cnf }));
    });
    const main = {
      introspection: { endpoint: `${auth.url}/i`, clientId: 'a', clientSecret: 'b', cache: '30s' },
    };
    await start({}, {}, { with: 'main' }, { main });
  };
  const BEARER = ['Authorization: Bearer token'];

  it('count with that certificate alone, also once the decision is kept', async () => {
    await bound({ 'x5t#S256': thumbprint(bob) });
    const eve = await authority.leaf(['eve'], { use: 'client' });
    expect((await ask(bob, BEARER)).status).toBe(200);
    expect((await ask(eve, BEARER)).status).toBe(401);
    expect((await ask({}, BEARER)).status).toBe(401);
    expect((await ask(bob, BEARER)).status).toBe(200);
  });

  it.each([[{ jkt: 'x'.repeat(43) }], [{ 'x5t#S256': 'short' }], [{}], ['text'], [null]])(
    'attack: a binding that cannot be checked, %j, is not passed over',
    async (cnf) => {
      await bound(cnf);
      expect((await ask(bob, BEARER)).status).toBe(401);
    },
  );
});

describe('a guarded route that an aggregate asks', () => {
  const page = async (inner: object, more: object, providers: object = {}) => {
    const definition = config({ clientCa: authority.ca, clientAuth: 'optional' }, {}, {}, providers);
    gateway = await startTestGateway({
      ...definition,
      services: { shop: { url: me.url } },
      routes: {
        me: { match: '/me', to: 'shop', auth: inner },
        page: {
          match: '/x',
          aggregate: { calls: { me: { route: 'me', path: '/me', read: 'text' } } },
          ...more,
        },
      },
    });
  };
  let me: ScriptedOrigin;
  let alice: CertificatePair;
  beforeAll(async () => {
    alice = await authority.leaf(['alice'], { use: 'client' });
    me = await scriptedOrigin(async (exchange) => {
      const who = headerValue(exchange.request, 'x-auth-subject') ?? 'nobody';
      await exchange.send(answer(200, [['Cache-Control', 'max-age=60']], who));
    });
  });
  afterAll(() => me.close());
  const told = async (...pairs: Partial<CertificatePair>[]) => {
    const answers: string[] = [];
    for (const pair of pairs) {
      const { status, body } = await ask(pair, ['X-Api-Key: key']);
      answers.push(status === 200 ? (JSON.parse(body.toString()) as { me: string }).me : String(status));
    }
    return answers;
  };
  const keys = {
    keys: {
      apiKey: {
        keys: [{ hash: `sha256:${createHash('sha256').update('key').digest('hex')}`, subject: 'carol' }],
      },
    },
  };

  it.each([
    ['is kept for all', {}, { ttl: '60s', shared: true }],
    ['does not say whose it is', {}, { ttl: '60s' }],
    ['is kept by the permissions', { auth: { with: 'keys' } }, { ttl: '60s', vary: 'auth.permissions' }],
    ['is kept for whom another provider knows', { auth: { with: 'keys' } }, { ttl: '60s', private: true }],
  ])(
    'is shown no certificate where the whole %s: its answer is nobody else’s',
    async (_what, more, cache) => {
      await page({ with: 'partners' }, { ...more, cache }, keys);
      expect(await told(alice, bob, {})).toEqual(['502', '502', '502']);
    },
  );

  it('is shown the certificate where the whole is kept for whom it names, or not at all', async () => {
    await page({ with: 'partners' }, { auth: { with: 'partners' }, cache: { ttl: '60s', private: true } });
    expect(await told(alice, bob, alice, {})).toEqual(['alice', 'bob', 'alice', '401']);
    await gateway.close();
    await page({ with: 'partners' }, {});
    expect(await told(alice, bob, {})).toEqual(['alice', 'bob', '502']);
  });

  it('takes a token that is bound to the certificate, however the whole is kept', async () => {
    auth = await httpOrigin((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ active: true, sub: 'bob', cnf: { 'x5t#S256': thumbprint(bob) } }));
    });
    const main = { introspection: { endpoint: `${auth.url}/i`, clientId: 'a', clientSecret: 'b' } };
    await page({ with: 'main' }, { auth: { with: 'main' }, cache: { ttl: '60s', private: true } }, { main });
    const { status, body } = await ask(bob, ['Authorization: Bearer token']);
    expect([status, body.toString()]).toEqual([200, '{"me":"bob"}']);
    expect((await ask(alice, ['Authorization: Bearer token'])).status).toBe(401);
  });
});

describe('what the config may not say of certificates', () => {
  const messages = (input: object) => loadObject(input, '.').issues.map(({ message }) => message);
  it('clientAuth without clientCa', () => {
    expect(messages(config({ clientAuth: 'required' })).join()).toContain('"clientCa" is missing');
  });
  it('a provider of certificates that no listener asks for', () => {
    expect(messages(config({})).join()).toContain('no listener asks clients for a certificate');
  });
});
