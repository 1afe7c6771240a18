import { afterEach, describe, expect, it } from 'vitest';
import { Gate, headerValue, until } from '../../src/testkit/index.ts';
import { type AuthServer, authServer } from './auth-server.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
let server: AuthServer;
afterEach(async () => {
  server?.gate?.open();
  await on?.close();
  await server?.origin.close();
});

const start = async (introspection: object = {}, options: StageOptions = {}) => {
  server = await authServer();
  on = await stage({
    auth: {
      main: {
        introspection: {
          endpoint: `${server.origin.url}/introspect`,
          clientId: 'tide gate',
          clientSecret: 's:ecret',
          ...introspection,
        },
      },
    },
    route: { auth: { with: 'main' } },
    ...options,
  });
};
const ask = async (token = 'opaque') => await on.ask('GET /x', `Authorization: Bearer ${token}`);
const seconds = () => Math.floor(on.clock.wall() / 1000);

describe('introspection (RFC 7662)', () => {
  it('sends the token form-encoded, exactly as it came, and shows who the gateway is', async () => {
    await start();
    const token = 'a+b/c=&d%20e|f;g';
    expect((await ask(token)).status).toBe(200);
    const [asked] = server.asked;
    expect(asked!.form.get('token')).toBe(token);
    expect(asked!.path).toBe('/introspect');
    // RFC 6749 §2.3.1: both parts are form-encoded before they are put together.
    const expected = `Basic ${Buffer.from('tide+gate:s%3Aecret').toString('base64')}`;
    expect(asked!.headers.authorization).toBe(expected);
    expect(headerValue(on.got(), 'authorization')).toBeUndefined();
  });

  it('shows it in the form where client_secret_post is said', async () => {
    await start({ clientAuth: 'client_secret_post' });
    await ask();
    const { form, headers } = server.asked[0]!;
    expect([form.get('client_id'), form.get('client_secret'), headers.authorization]).toEqual([
      'tide gate',
      's:ecret',
      undefined,
    ]);
  });

  it('takes subject and permissions from where templates say', async () => {
    await start(
      {
        permissions: '{response.body.rights}',
        subject: '{claims.username}',
        claims: { tenant: '{claims.ext.t}' },
      },
      {
        route: {
          auth: {
            with: 'main',
            allow:
              'auth.subject == "bob" && auth.permissions == ["x", "y"] && auth.claims.tenant == 12345678901234567890u',
          },
        },
      },
    );
    server.say = () => '{"active":true,"username":"bob","rights":"x y","ext":{"t":12345678901234567890}}';
    expect((await ask()).status).toBe(200);
  });

  it.each([
    ['42', '42'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.5', '1.5'],
    ['true', undefined],
    ['[7]', undefined],
    ['""', undefined],
  ])('a template for the subject makes a text of a number: %s', async (id, subject) => {
    await start({ subject: '{claims.user_id}' });
    server.say = () => `{"active":true,"user_id":${id}}`;
    expect((await ask()).status).toBe(200);
    expect(headerValue(on.got(), 'x-auth-subject')).toBe(subject);
  });

  it.each([
    [false, 401],
    ['true', 503],
    [1, 503],
    [null, 503],
    [undefined, 503],
  ])('active: %j is %i', async (active, status) => {
    await start();
    server.say = () => ({ active, sub: 'alice' });
    expect((await ask()).status).toBe(status);
    expect(on.service.requests).toEqual([]);
  });

  it('a past exp is inactive, without skew', async () => {
    await start();
    server.say = () => ({ active: true, exp: seconds() });
    expect((await ask()).status).toBe(401);
    server.say = () => ({ active: true, exp: seconds() + 1 });
    expect((await ask()).status).toBe(200);
  });

  it('a token that is bound to a key that was not shown does not count (RFC 9449 §7.1)', async () => {
    await start();
    server.say = () => ({ active: true, token_type: 'DPoP' });
    expect((await ask()).status).toBe(401);
    server.say = () => ({ active: true, cnf: { 'x5t#S256': 'abc' } });
    expect((await ask()).status).toBe(401);
  });
});

describe('decisions', () => {
  it('are not kept where nothing is said', async () => {
    await start();
    await ask();
    await ask();
    expect(server.asked.length).toBe(2);
  });

  it('are kept as long as cache says, and no longer than the token lives', async () => {
    await start({ cache: '30s' });
    await ask();
    on.clock.advance(29_999);
    await ask();
    expect(server.asked.length).toBe(1);
    on.clock.advance(1);
    server.say = () => ({ active: true, exp: seconds() + 10 });
    await ask();
    on.clock.advance(11_000);
    server.say = () => ({ active: false });
    expect((await ask()).status).toBe(401);
    expect(server.asked.length).toBe(3);
  });

  it('that refuse are kept 5 s at most', async () => {
    await start({ cache: '30s' });
    server.say = () => ({ active: false });
    await ask();
    on.clock.advance(4_999);
    await ask();
    expect(server.asked.length).toBe(1);
    on.clock.advance(1);
    await ask();
    expect(server.asked.length).toBe(2);
  });

  it('that are no decision are never kept', async () => {
    await start({ cache: '30s' });
    server.status = 500;
    expect((await ask()).status).toBe(503);
    server.status = 200;
    expect((await ask()).status).toBe(200);
  });

  it('of 1,000 requests at once with one cold token are one call', async () => {
    await start({ cache: '30s' });
    server.gate = new Gate();
    const all = Promise.all(Array.from({ length: 1000 }, () => ask()));
    await until(() => server.asked.length === 1, 'the auth server is asked');
    server.gate.open();
    expect((await all).every(({ status }) => status === 200)).toBe(true);
    expect(server.asked.length).toBe(1);
  });
});

describe('an auth server that is of no use: 503, never through', () => {
  it.each<[string, Partial<AuthServer>]>([
    ['says 500', { status: 500 }],
    ['says 401 to the gateway', { status: 401 }],
    ['says 204', { status: 204 }],
    ['is not JSON', { say: () => 'active=true' }],
    ['names a subject that is no text', { say: () => ({ active: true, sub: 7 }) }],
    ['is HTML', { say: () => '{"active":true}', type: 'text/html' }],
    ['names a member twice', { say: () => '{"active":false,"active":true}' }],
    ['is a list', { say: () => '[{"active":true}]' }],
    ['has an exp that is text', { say: () => '{"active":true,"exp":"tomorrow"}' }],
    ['is 10 MB long', { say: () => `{"active":true,"x":"${'x'.repeat(10_000_000)}"}` }],
  ])('%s', async (_, lie) => {
    await start({ cache: '30s' });
    Object.assign(server, lie);
    const response = await ask();
    expect([response.status, code(response)]).toEqual([503, 'TG_AUTH_UNAVAILABLE']);
    expect(on.service.requests).toEqual([]);
  });

  it('has no other service asked in its place, whatever onStatus says', async () => {
    await start({}, { route: { auth: { with: 'main' }, onStatus: { '5xx': { to: 'shop' } } } });
    server.status = 500;
    expect((await ask()).status).toBe(503);
    expect(on.service.requests).toEqual([]);
  });

  it('is slow', async () => {
    await start({ timeout: '500ms' });
    server.gate = new Gate();
    const asked = ask();
    await until(() => server.asked.length === 1, 'the auth server is asked');
    on.clock.advance(500);
    expect((await asked).status).toBe(503);
  });

  it('fails now and then: nobody is refused for that; five times in a row: it gets a pause', async () => {
    await start();
    const answers = { good: 200, failing: 503 };
    const asked = async (token: keyof typeof answers) => {
      server.status = answers[token];
      return (await ask(token)).status;
    };
    for (let i = 0; i < 8; i++) {
      expect(await asked('failing')).toBe(503);
      expect(await asked('good')).toBe(200);
    }
    for (let i = 0; i < 5; i++) expect(await asked('failing')).toBe(503);
    const { length } = server.asked;
    expect(await asked('good')).toBe(503);
    expect(server.asked.length).toBe(length);
  });

  it('fails at one odd token: whoever sends that shuts nobody else out', async () => {
    await start();
    server.status = 500;
    for (let i = 0; i < 20; i++) expect((await ask('odd')).status).toBe(503);
    server.status = 200;
    expect((await ask()).status).toBe(200);
  });

  it('is away; it is asked again, and heeded, within 5 s of its return', async () => {
    await start();
    const { port } = server.origin;
    await server.origin.close();
    for (let i = 0; i < 20; i++) expect((await ask()).status).toBe(503);
    server = await authServer(port);
    on.clock.advance(5000);
    expect((await ask()).status).toBe(200);
  });

  it('lets an accepted decision count on where staleIfError says so, but never past its exp', async () => {
    await start({ cache: '10s', staleIfError: '60s' });
    server.say = () => ({ active: true, exp: seconds() + 40 });
    await ask();
    server.status = 500;
    on.clock.advance(30_000);
    expect((await ask()).status).toBe(200);
    expect((await ask('other')).status).toBe(503);
    on.clock.advance(11_000);
    expect((await ask()).status).toBe(503);
  });
});

describe('refusals', () => {
  it('name the scheme, and an error only where a token was shown (RFC 6750 §3.1)', async () => {
    await start({}, { route: { auth: { with: 'main', scopes: ['orders:write'] } } });
    const challenge = async (...lines: string[]) =>
      headerValue(await on.ask('GET /x', ...lines), 'www-authenticate');
    expect(await challenge()).toBe('Bearer realm="tidegate"');
    expect(await challenge('Authorization: Bearer a b')).toBe(
      'Bearer realm="tidegate", error="invalid_token"',
    );
    expect(await challenge('Authorization: Basic YTpi')).toBe('Bearer realm="tidegate"');
    expect(await challenge('Authorization: Bearer')).toBe('Bearer realm="tidegate"');
    expect(await challenge('Authorization: Bearer opaque')).toBe(
      'Bearer realm="tidegate", error="insufficient_scope", scope="orders:write"',
    );
  });

  it('are the same for a token that never was and one that has ended', async () => {
    await start();
    server.say = (token) => (token === 'ended' ? { active: true, exp: 1 } : { active: false });
    const shown = async (token: string) => {
      const { status, headers, body } = await ask(token);
      const fixed = headers.filter(([name]) => !/^(date|x-request-id)$/i.test(name));
      return [status, fixed, body.toString().replace(/"instance":"[^"]*"/, '')];
    };
    expect(await shown('ended')).toEqual(await shown('never'));
  });
});

describe('a reload', () => {
  const config = (server: AuthServer, more: object) => ({
    services: { shop: { url: on.service.url } },
    auth: {
      main: {
        introspection: {
          endpoint: `${server.origin.url}/introspect`,
          clientId: 'tide gate',
          clientSecret: 's:ecret',
          cache: '1h',
          ...more,
        },
      },
    },
    routes: { all: { match: '/*', to: 'shop', auth: { with: 'main' } } },
  });

  it('lets questions under way end, and forgets no decision of a provider that stays as it is', async () => {
    await start({ cache: '1h' });
    await ask();
    await on.gateway.reload(config(server, {}));
    expect((await ask()).status).toBe(200);
    expect(server.asked.length).toBe(1);
    server.gate = new Gate();
    const underWay = ask('another');
    await until(() => server.asked.length === 2, 'the auth server is asked');
    await on.gateway.reload(config(server, { timeout: '3s' }));
    server.gate.open();
    expect((await underWay).status).toBe(200);
  });
});

describe('several providers', () => {
  it('the first that recognises the credential decides, and its refusal stands', async () => {
    const part = (text: string) => Buffer.from(text).toString('base64url');
    await start(
      {},
      {
        auth: {
          jwt: { jwt: { jwks: 'test/auth/keys.json', issuer: 'https://issuer.example' } },
          main: { introspection: { endpoint: 'http://127.0.0.1:1/', clientId: 'a', clientSecret: 'b' } },
        },
        route: { auth: { with: ['jwt', 'main'] } },
      },
    );
    const forged = `${part('{"alg":"RS256"}')}.${part('{"iss":"https://issuer.example","sub":"a","exp":99999999999}')}.AAAA`;
    expect((await ask(forged)).status).toBe(401);
    // Of another issuer: that is for the next, who can't be reached.
    const other = forged.replace(/\.[^.]+\./, `.${part('{"iss":"https://other.example"}')}.`);
    expect((await ask(other)).status).toBe(503);
  });
});
