import { expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { explainRequest } from '../../src/snapshot/index.ts';

function cacheOf(
  cache: unknown,
  request: { method?: string; url: string; headers?: string[] },
  more: object = {},
  top: object = {},
) {
  const { config, issues } = loadObject(
    {
      services: { shop: { url: 'http://127.0.0.1:4001' } },
      ...top,
      routes: { a: { match: '/a/{id:int}', to: 'shop', ...(cache === undefined ? {} : { cache }), ...more } },
    },
    '.',
  );
  if (config === null) throw new Error(issues.map(({ message }) => message).join('\n'));
  return explainRequest(config, {
    method: 'GET',
    headers: ['host', 'shop.test'],
    ip: '127.0.0.1',
    ...request,
  }).cache;
}

it('says nothing of a cache where there is none', () => {
  expect(cacheOf(undefined, { url: 'http://shop.test/a/1' })).toBeNull();
});

it('names key, whose it is, lifetime, and the tags that are known', () => {
  const cache = {
    ttl: '5m',
    tags: ['a:{params.id}'],
    key: { query: ['page'], headers: ['x-currency'] },
    vary: 'request.host',
  };
  expect(cacheOf(cache, { url: 'http://shop.test/a/1?page=2&utm=x' })).toEqual({
    says: 'may be answered from the cache, else fills it',
    key: ['http://shop.test/a/1?page=2', 'header x-currency', 'request.host'],
    whose: 'all of one key',
    fresh: '5m, where its service says nothing',
    tags: ['a:1'],
    refreshed: false,
  });
});

it('names what is filled again once a change has unseated it', () => {
  expect(cacheOf({ refresh: true }, { url: 'http://shop.test/a/1' })!.refreshed).toBe(true);
});

it.each([
  ['an unsafe method', { ttl: '5m' }, 'POST', 'answers to POST are not kept'],
  [
    'vary without a value',
    { ttl: '5m', vary: 'request.headers["x-tenant"]' },
    'GET',
    'vary has no value here',
  ],
])('says that %s goes past it', (_, cache, method, why) => {
  const found = cacheOf(cache, { url: 'http://shop.test/a/1', method })!;
  expect(found.says).toContain(why);
  expect(found.key).toEqual([]);
});

it('does not claim to know who asks before anybody was asked', () => {
  const main = {
    introspection: { endpoint: 'http://127.0.0.1:4010/introspect', clientId: 'gate', clientSecret: 's' },
  };
  const asked = (cache: object) =>
    cacheOf(
      cache,
      { url: 'http://shop.test/a/1', headers: ['host', 'shop.test', 'authorization', 'Bearer x'] },
      { auth: { with: 'main' } },
      { auth: { main } },
    )!;
  const known = 'may be answered from the cache, else fills it, once it is known who asks';
  expect(asked({ vary: 'auth.subject' })).toMatchObject({
    says: known,
    key: ['http://shop.test/a/1', 'auth.subject'],
    whose: 'each subject',
  });
  expect(asked({ vary: 'request.headers["x-tenant"]' }).says).toContain('vary has no value here');
});

it('says whose an answer is', () => {
  const url = 'http://shop.test/a/1';
  expect(cacheOf({ ttl: '5m', shared: true }, { url })!.whose).toBe('everyone');
  expect(cacheOf(true, { url })).toMatchObject({
    whose: 'unsaid',
    fresh: 'as long as its service says',
    tags: [],
  });
});
