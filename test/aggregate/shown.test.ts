/** What another route is shown of who asks, where an aggregate asks it (SPEC §6: "as a client would"). */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValue, scriptedOrigin } from '../../src/testkit/index.ts';
import { bodyOf, json, replying, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const key = (text: string, subject: string) => ({
  hash: `sha256:${createHash('sha256').update(text).digest('hex')}`,
  subject,
  permissions: ['read'],
});
const KEYS = [key('a', 'alice'), key('b', 'bob')];
const AUTH = {
  keys: { apiKey: { keys: KEYS } },
  tokens: { apiKey: { from: [{ header: 'authorization' }], keys: KEYS } },
  places: { apiKey: { from: [{ cookie: 'sid' }, { query: 'token' }], keys: KEYS } },
};
const SHOP = replying((target, { request }) =>
  json({ who: headerValue(request, 'x-auth-subject') ?? null, target }),
);

/** A page whose one call asks the route `item`, guarded by `inner`. */
async function page(inner: string, route: object = {}, call: object = {}, method = 'GET'): Promise<void> {
  on = await stage(
    { shop: SHOP },
    { calls: { item: { route: 'item', path: '/item/1?x=1', method, ...call } } },
    {
      route: { ...(method === 'GET' ? {} : { match: { path: '/page/*', method } }), ...route },
      routes: { item: { match: '/item/*', to: 'shop', auth: { with: inner } } },
      more: { auth: AUTH },
    },
  );
}

async function shownTo(line: string, ...headers: string[]): Promise<unknown> {
  const response = await on.ask(line, headers);
  return response.status === 200 ? (bodyOf(response) as { item: { who: string } }).item.who : response.status;
}

const GET = 'GET /page/1';

describe('a guarded route that an aggregate asks is shown the credential of the client', () => {
  it.each([
    ['keys', GET, ['X-Api-Key: a']],
    ['tokens', GET, ['Authorization: Bearer a']],
    ['places', GET, ['Cookie: sid=a']],
    ['places', 'GET /page/1?y=2&token=a', []],
  ])('of %s, by an open route as by a guarded one: %s %j', async (inner, line, headers) => {
    for (const route of [{}, { auth: { with: inner } }, { auth: { with: inner, passToken: true } }]) {
      await page(inner, route);
      expect(await shownTo(line, ...headers)).toBe('alice');
      expect(on.asked('shop')).toEqual(['/item/1?x=1']);
      await on.close();
    }
  });

  it('all that a server is asked with, where it decides by the request', async () => {
    const login = await scriptedOrigin(
      replying((_, { request }) => answer(headerValue(request, 'cookie') === 'a=1; sid=a' ? 204 : 401)),
    );
    await using _ = login;
    const ask = { forward: { url: login.url, requestHeaders: ['cookie'], subject: 'alice' } };
    for (const route of [
      {},
      { auth: { with: 'ask' } },
      { auth: { with: 'ask' }, cache: { private: true, ttl: '1m' } },
    ]) {
      on = await stage(
        { shop: SHOP },
        { calls: { item: { route: 'item', path: '/item/1' } } },
        {
          route,
          routes: { item: { match: '/item/*', to: 'shop', auth: { with: 'ask' } } },
          more: { auth: { ask } },
        },
      );
      expect(await shownTo(GET, 'Cookie: a=1; sid=a')).toBe('alice');
      await on.close();
    }
  });

  it('and where that is passed on (onError: pass), its 401 says what it wants to see', async () => {
    await page('keys', {}, { onError: 'pass' });
    const response = await on.ask(GET);
    expect([response.status, headerValue(response, 'www-authenticate')]).toEqual([
      401,
      'ApiKey realm="tidegate"',
    ]);
  });

  it('under the id of the client’s request', async () => {
    await page('keys', {}, {});
    const response = await on.ask(GET, ['X-Api-Key: a', 'X-Request-Id: abc']);
    expect(response.status).toBe(200);
    await on.ask(GET, ['X-Api-Key: a']);
    const ids = on.origins.shop!.requests.map((request) => headerValue(request, 'x-request-id'));
    expect(ids[0]).toBe('abc');
    expect(ids[1]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('and nothing else that the client sent', async () => {
    await page('places');
    expect(await shownTo('GET /page/1?y=2', 'Cookie: other=1; sid=a; more=2', 'X-Api-Key: b')).toBe('alice');
    expect(on.origins.shop!.requests[0]!.raw.toString()).not.toMatch(/other|more|api-key|y=2|sid/i);
  });

  it('with the page it comes from, where a cookie counts for an unsafe request', async () => {
    await page('places', {}, {}, 'POST');
    expect(await shownTo('POST /page/1', 'Cookie: sid=a', 'Origin: http://shop.test')).toBe('alice');
    expect(await shownTo('POST /page/1', 'Cookie: sid=a', 'Origin: http://evil.test')).toBe(502);
  });

  it('unless the call says another', async () => {
    await page('tokens', {}, { headers: { authorization: 'Bearer b' } });
    expect(await shownTo(GET, 'Authorization: Bearer a')).toBe('bob');
  });

  it('but not one that was taken off for good: an open route’s service does not get it', async () => {
    on = await stage(
      { shop: SHOP },
      { calls: { item: { route: 'item', path: '/item/1' } } },
      {
        route: { auth: { with: 'tokens' } },
        routes: { item: { match: '/item/*', to: 'shop' } },
        more: { auth: AUTH },
      },
    );
    expect(await shownTo(GET, 'Authorization: Bearer a')).toBe(null);
    expect(on.origins.shop!.requests[0]!.raw.toString()).not.toMatch(/authorization/i);
  });
});

describe('an aggregate that is kept shows other routes no more of who asks than its key names', () => {
  it.each([{ private: true }, { vary: 'auth.subject' }])(
    'with %j each has an answer of its own',
    async (key) => {
      await page('tokens', { auth: { with: 'tokens' }, cache: { ttl: '1m', ...key } });
      for (const one of ['alice', 'bob', 'alice'])
        expect(await shownTo(GET, `Authorization: Bearer ${one[0]}`)).toBe(one);
      expect(on.asked('shop')).toHaveLength(2);
    },
  );

  it.each([
    [{ auth: { with: 'tokens', passToken: true } }, { shared: true }],
    [{ auth: { with: 'tokens', passToken: true } }, { vary: 'auth.permissions' }],
    [{}, { shared: true }],
    [{}, { vary: 'request.host' }],
  ])('with %j and %j the route is asked by nobody', async (route, key) => {
    await page('tokens', { ...route, cache: { ttl: '1m', ...key } });
    for (const one of ['a', 'b']) expect(await shownTo(GET, `Authorization: Bearer ${one}`)).toBe(502);
    expect(on.asked('shop')).toEqual([]);
  });

  it('where it does not say whose it is, what Authorization was shown for is not kept', async () => {
    await page('tokens', { cache: { ttl: '1m' } });
    for (const one of ['alice', 'bob'])
      expect(await shownTo(GET, `Authorization: Bearer ${one[0]}`)).toBe(one);
  });

  it('what another provider knows who asks by is not in its key', async () => {
    await page('keys', { auth: { with: 'tokens' }, cache: { ttl: '1m', private: true } });
    expect(await shownTo(GET, 'Authorization: Bearer a', 'X-Api-Key: b')).toBe(502);
  });
});
