/** What services hear of who asks, and whose the answers of calls are (SPEC: "Whose answer it is"). */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  headerValues,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
} from '../../src/testkit/index.ts';
import { type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const KEYS = [
  { hash: hash('bob'), subject: 'bob', permissions: ['read', 'write'] },
  { hash: hash('bob-too'), subject: 'bob', permissions: ['write', 'read'] },
  { hash: hash('bob-reads'), subject: 'bob', permissions: ['read'] },
  { hash: hash('eve'), subject: 'eve', permissions: ['write', 'read'] },
  { hash: hash('nobody'), permissions: ['read'] },
];
const JSON_OF: Script = answer(200, [['Content-Type', 'application/json']], '{"a":1}');

async function guarded(call: object, more: object = {}, options: StageOptions = {}): Promise<void> {
  on = await stage(
    { a: JSON_OF },
    { calls: { a: { to: 'a', path: '/a', ...call } } },
    {
      route: { auth: { with: 'keys' }, ...more },
      more: { auth: { keys: { apiKey: { keys: KEYS } } } },
      ...options,
    },
  );
}

const as = (...keys: string[]) =>
  keys.reduce(async (before, key) => {
    await before;
    expect((await on.ask('GET /page/1', key === '' ? [] : [`X-Api-Key: ${key}`])).status).toBe(200);
  }, Promise.resolve());

/** Subject and permissions as each request to the service named them. */
const told = () =>
  on.origins.a!.requests.map((request) => [
    headerValue(request, 'x-auth-subject'),
    headerValue(request, 'x-auth-permissions'),
  ]);

const BOB = ['bob', 'read write'];

describe("a call's cache that does not say whose its answers are", () => {
  it('keeps one for each identity that the call carries', async () => {
    await guarded({ cache: { ttl: '60s' } });
    await as('bob', 'bob', 'bob-too', 'eve', 'bob-reads', 'bob');
    expect(told()).toEqual([BOB, ['eve', 'write read'], ['bob', 'read']]);
  });

  it('keeps one for all who show nothing, where a credential is optional', async () => {
    await guarded({ cache: { ttl: '60s' } }, { auth: { with: 'keys', optional: true } });
    await as('', 'bob', '', 'bob');
    expect(told()).toEqual([[undefined, undefined], BOB]);
  });

  it('keeps nothing for an identity without a subject', async () => {
    await guarded({ cache: { ttl: '60s' } });
    await as('nobody', 'nobody');
    expect(told()).toHaveLength(2);
  });
});

describe('what a provider answers with for services (responseHeaders)', () => {
  const FORWARD = {
    url: '',
    requestHeaders: ['x-who'],
    responseHeaders: ['x-user', 'x-groups'],
    subject: '{response.headers["x-user"]}',
  };
  /** The auth server: it says who asks, and of which groups. */
  const says: Script = (exchange) => {
    const [user, groups] = (headerValue(exchange.request, 'x-who') ?? '').split(' ') as [string, string];
    return exchange.send(
      answer(200, [
        ['X-User', user],
        ['X-Groups', groups],
      ]),
    );
  };
  const start = async (call: object = {}, route: object = {}) => {
    server = await scriptedOrigin(says);
    await guarded(
      call,
      { auth: { with: 'ask' }, ...route },
      {
        more: { auth: { ask: { forward: { ...FORWARD, url: server.url } } } },
      },
    );
  };
  let server: ScriptedOrigin;
  afterEach(() => server.close());
  const asks = (who: string) => on.ask('GET /page/1', [`X-Who: ${who}`, 'X-User: evil', 'X-Groups: evil']);
  const heard = () =>
    on.origins.a!.requests.map((request) => [
      headerValues(request, 'x-user'),
      headerValues(request, 'x-groups'),
    ]);

  it('is told by calls as by a route, in the place of the client’s own', async () => {
    await start();
    expect((await asks('bob a,b')).status).toBe(200);
    expect(heard()).toEqual([[['bob'], ['a,b']]]);
    expect(headerValue(on.origins.a!.requests[0]!, 'x-auth-subject')).toBe('bob');
  });

  it('is not told where the call says something else under that name', async () => {
    await start({ headers: { 'x-user': 'gateway' } });
    await asks('bob a');
    expect(heard()).toEqual([[['gateway'], ['a']]]);
  });

  it('is not told where the answer is kept for others too', async () => {
    await start({}, { cache: { ttl: '60s', shared: true } });
    await asks('bob a');
    await asks('eve b');
    expect(heard()).toEqual([[[], []]]);
  });

  it('is in the key of a call that is kept for whom it is carried', async () => {
    await start({ cache: { ttl: '60s' } });
    for (const who of ['bob a', 'bob a', 'bob b', 'eve a']) await asks(who);
    expect(heard()).toEqual([
      [['bob'], ['a']],
      [['bob'], ['b']],
      [['eve'], ['a']],
    ]);
  });
});

describe('what a service is told by a call', () => {
  it('all of the identity, where nothing is kept', async () => {
    await guarded({});
    await as('bob');
    expect(told()).toEqual([BOB]);
  });

  it.each([
    ['shared', { shared: true }, [undefined, undefined]],
    ['by permissions', { vary: 'auth.permissions' }, [undefined, 'read write']],
    ['by subject', { vary: 'auth.subject' }, BOB],
    ['private', { private: true }, BOB],
  ])('no more than the key of its cache: %s', async (_, cache, heard) => {
    await guarded({ cache: { ttl: '60s', ...cache } });
    await as('bob');
    expect(told()).toEqual([heard]);
  });

  it('no more than the key of the whole holds, whatever its own says', async () => {
    await guarded({ cache: { ttl: '60s' } }, { cache: { ttl: '60s', shared: true } });
    await as('bob', 'eve');
    expect(told()).toEqual([[undefined, undefined]]);
  });

  it('no more than both keys hold', async () => {
    await guarded({ cache: { ttl: '60s', shared: true } }, { cache: { ttl: '60s', vary: 'auth.subject' } });
    await as('bob', 'eve');
    expect(told()).toEqual([[undefined, undefined]]);
  });

  it('all of it, for a method whose answers the whole does not keep', async () => {
    await guarded(
      {},
      { match: { path: '/page/*', method: ['GET', 'POST'] }, cache: { ttl: '60s', shared: true } },
    );
    expect((await on.ask('POST /page/1', ['X-Api-Key: bob'])).status).toBe(200);
    expect(told()).toEqual([BOB]);
  });
});
