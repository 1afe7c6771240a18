import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { headerValue } from '../../src/testkit/index.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

const KEYS = {
  keys: {
    apiKey: {
      from: [{ header: 'x-api-key' }, { query: 'apikey' }, { cookie: 'key' }],
      keys: [
        { hash: sha256('first'), subject: 'robot', permissions: ['orders:read'] },
        { hash: sha256('second'), subject: 'robot', permissions: ['orders:read'] },
        { hash: sha256('weak'), subject: 'guest', claims: { tenant: 't1' } },
        { hash: sha256('nobody') },
      ],
    },
  },
};

let on: Stage;
afterEach(() => on?.close());
const start = async (options: StageOptions) => {
  on = await stage({ auth: KEYS, ...options });
};

describe('a route guarded by keys', () => {
  it('lets a known key through, and both keys of one subject while they are changed', async () => {
    await start({ route: { auth: { with: 'keys' } } });
    const statuses = [];
    for (const key of ['first', 'second', 'third', ''])
      statuses.push((await on.ask('GET /x', `X-Api-Key: ${key}`)).status);
    expect(statuses).toEqual([200, 200, 401, 401]);
  });

  it('refuses a request without one with 401 and a challenge (RFC 9110 §11.6.1)', async () => {
    await start({ route: { auth: { with: 'keys' } } });
    const response = await on.ask('GET /x');
    expect([response.status, code(response), headerValue(response, 'www-authenticate')]).toEqual([
      401,
      'TG_AUTH_MISSING',
      'ApiKey realm="tidegate"',
    ]);
    expect(on.service.requests).toEqual([]);
  });

  it('takes the key off the request, wherever it stood', async () => {
    await start({ route: { auth: { with: 'keys' } } });
    await on.ask('GET /x?a=1&apikey=first&b=2');
    expect(on.got().target).toBe('/x?a=1&b=2');
    await on.ask('GET /x', 'Cookie: a=1; key=first; b=2', 'X_Api_Key: smuggled');
    expect(headerValue(on.got(), 'cookie')).toBe('a=1; b=2');
    expect(on.got().raw.toString()).not.toMatch(/smuggled/);
    await on.ask('GET /x', 'X-Api-Key: first');
    expect(headerValue(on.got(), 'x-api-key')).toBeUndefined();
  });

  it('leaves it on where passToken says so', async () => {
    await start({ route: { auth: { with: 'keys', passToken: true } } });
    await on.ask('GET /x?apikey=first');
    expect(on.got().target).toBe('/x?apikey=first');
  });
});

describe('what whoever asks must be allowed', () => {
  it('is a policy by its name, CEL, or a list of permissions', async () => {
    const policies = { readOrders: '"orders:read" in auth.permissions' };
    await start({
      policies,
      routes: {
        policy: { match: '/policy', to: 'shop', auth: { with: 'keys', allow: 'readOrders' } },
        cel: { match: '/cel/{who}', to: 'shop', auth: { with: 'keys', allow: 'auth.subject == params.who' } },
        list: { match: '/list', to: 'shop', auth: { with: 'keys', permissions: ['orders:read'] } },
        claim: { match: '/claim', to: 'shop', auth: { with: 'keys', allow: 'auth.claims.tenant == "t1"' } },
      },
    });
    const status = async (path: string, key: string) =>
      (await on.ask(`GET ${path}`, `X-Api-Key: ${key}`)).status;
    expect([await status('/policy', 'first'), await status('/policy', 'weak')]).toEqual([200, 403]);
    expect([await status('/cel/robot', 'first'), await status('/cel/robot', 'weak')]).toEqual([200, 403]);
    expect([await status('/list', 'first'), await status('/list', 'weak')]).toEqual([200, 403]);
    expect([await status('/claim', 'first'), await status('/claim', 'weak')]).toEqual([403, 200]);
  });

  it('is refused where the expression compares an absent subject', async () => {
    await start({ route: { auth: { with: 'keys', allow: 'auth.subject != "mallory"' } } });
    expect((await on.ask('GET /x', 'X-Api-Key: nobody')).status).toBe(403);
    expect((await on.ask('GET /x', 'X-Api-Key: first')).status).toBe(200);
  });

  it('is refused where a function compares an absent subject, even with what is absent too', async () => {
    const allow = ({ auth, params }: { auth: { subject?: string }; params: Record<string, string> }) =>
      auth.subject === params.who;
    await start({ route: { auth: { with: 'keys', allow } } });
    expect((await on.ask('GET /x', 'X-Api-Key: nobody')).status).toBe(403);
    const asks = ({ auth }: { auth: object }) => !('subject' in auth);
    await on.close();
    await start({ route: { auth: { with: 'keys', allow: asks } } });
    expect((await on.ask('GET /x', 'X-Api-Key: nobody')).status).toBe(200);
    expect((await on.ask('GET /x', 'X-Api-Key: first')).status).toBe(403);
  });

  it('holds without any credential where with: none says so', async () => {
    await start({ route: { auth: { with: 'none', allow: 'request.headers["x-a"] == "1"' } } });
    expect((await on.ask('GET /x', 'X-A: 1')).status).toBe(200);
    expect((await on.ask('GET /x', 'X-A: 1', 'X-A: 1')).status).toBe(403);
    expect((await on.ask('GET /x')).status).toBe(403);
  });
});

describe('defaults.auth', () => {
  it('guards every route; one opens itself by auth: none alone', async () => {
    await start({
      defaults: { auth: { with: 'keys' } },
      routes: {
        shut: { match: '/shut', to: 'shop' },
        open: { match: '/open', to: 'shop', auth: 'none' },
      },
    });
    expect((await on.ask('GET /shut')).status).toBe(401);
    expect((await on.ask('GET /open')).status).toBe(200);
  });
});

describe('optional: true', () => {
  it('lets nobody pass as nobody, but no bad credential', async () => {
    await start({ route: { auth: { with: 'keys', optional: true } } });
    expect((await on.ask('GET /x')).status).toBe(200);
    expect((await on.ask('GET /x', 'X-Api-Key: wrong')).status).toBe(401);
  });
});
