import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { headerValue } from '../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

const hash = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const auth = { keys: { apiKey: { keys: [{ hash: hash('k1'), subject: 'bob', permissions: ['a'] }] } } };
const KEY = 'X-Api-Key: k1';

let on: Stage;
afterEach(() => on.close());

describe('what the origin of a kept answer is told of who asks (SPEC: whose answer it is)', () => {
  it.each([
    [{ ttl: '1m', private: true }, 'bob', 'a'],
    [{ ttl: '1m', vary: 'auth.subject' }, 'bob', 'a'],
    [{ ttl: '1m', vary: 'auth.permissions' }, undefined, 'a'],
    [{ ttl: '1m', vary: '"a" in auth.permissions' }, undefined, undefined],
    [{ ttl: '1m', shared: true }, undefined, undefined],
  ])('with cache %j', async (cache, subject, permissions) => {
    on = await stage({ auth, route: { auth: { with: 'keys', passToken: true }, cache } });
    expect((await on.ask('GET /x', KEY)).status).toBe(200);
    const got = on.got();
    expect([headerValue(got, 'x-auth-subject'), headerValue(got, 'x-auth-permissions')]).toEqual([
      subject,
      permissions,
    ]);
    if (subject === undefined) expect(headerValue(got, 'x-api-key')).toBeUndefined();
    await on.ask('DELETE /x', KEY);
    expect(headerValue(on.got(), 'x-auth-subject')).toBe('bob');
  });

  const others = {
    ...auth,
    partners: { apiKey: { from: [{ header: 'x-partner' }], keys: [{ hash: hash('p1'), subject: 'acme' }] } },
  };
  it.each<[object, string[]]>([
    [{ ttl: '1m', shared: true }, []],
    [{ ttl: '1m', vary: 'auth.permissions' }, []],
    [{ ttl: '1m', vary: 'auth.subject' }, ['Bearer mine', 'p1']],
    [{ ttl: '1m', shared: true, key: { headers: ['authorization'] } }, ['Bearer mine']],
    [{ ttl: '1m', vary: 'request.headers["x-partner"]' }, ['p1']],
  ])('of other credentials of the client’s, too: with cache %j', async (cache, told) => {
    on = await stage({ auth: others, route: { auth: { with: 'keys' }, cache } });
    const credentials = ['Authorization: Bearer mine', 'X-Partner: p1'];
    expect((await on.ask('GET /x', KEY, ...credentials)).status).toBe(200);
    const got = on.got();
    const heard = [headerValue(got, 'authorization'), headerValue(got, 'x-partner')];
    expect(heard.filter((value) => value !== undefined)).toEqual(told);
    await on.ask('DELETE /x', KEY, ...credentials);
    expect(headerValue(on.got(), 'authorization')).toBe('Bearer mine');
  });

  it('no signed token where the key does not name the subject', async () => {
    on = await stage({
      auth,
      route: { auth: { with: 'keys', forwardAs: 'jwt' }, cache: { ttl: '1m', shared: true } },
    });
    expect((await on.ask('GET /x', KEY)).status).toBe(200);
    expect(headerValue(on.got(), 'authorization')).toBeUndefined();
  });
});
