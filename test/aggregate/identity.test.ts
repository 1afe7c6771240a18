/** What services hear of who asks, and whose the answers of calls are (SPEC: "Whose answer it is"). */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValue, type Script } from '../../src/testkit/index.ts';
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
