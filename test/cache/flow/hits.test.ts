import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../../../src/testkit/index.ts';
import { type Ask, type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

const status = (response: { headers: [string, string][] }) => value(response, 'cache-status');
const value = (response: { headers: [string, string][] }, name: string) =>
  response.headers.find(([given]) => given.toLowerCase() === name)?.[1];

const fresh = (body = 'one', headers: [string, string][] = []) =>
  answer(200, [['Cache-Control', 'max-age=60'], ...headers], body);

async function ask(path?: string, options?: Ask) {
  const response = await now.ask(path, options);
  return { status: response.status, body: response.body.toString(), line: status(response), response };
}

describe('a cached route', () => {
  it('answers the second request from memory, and says so with the time it has left', async () => {
    now = await stage(fresh(), true);
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; stored');
    now.clock.advance(5_000);
    const second = await ask();
    expect(second).toMatchObject({ status: 200, body: 'one', line: 'tidegate; hit; ttl=55' });
    expect(value(second.response, 'age')).toBe('5');
    expect(now.asked()).toHaveLength(1);
  });

  it('answers a client that offers h2c with each request, which is never switched to', async () => {
    now = await stage(fresh(), true);
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    expect((await ask('/a', { headers: offer })).line).toMatch(/stored/);
    expect((await ask('/a', { headers: offer })).line).toMatch(/hit/);
    expect((await ask('/a', { headers: ['Connection: Upgrade', 'Upgrade: websocket'] })).line).toBe(
      undefined,
    );
    expect(now.asked()).toHaveLength(2);
  });

  it('asks again once it is stale, with its validators, and keeps what a 304 confirms', async () => {
    now = await stage(
      [
        fresh('one', [['ETag', '"v1"']]),
        'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nETag: "v1"\r\n\r\n',
      ],
      true,
    );
    await ask();
    now.clock.advance(61_000);
    expect(await ask()).toMatchObject({
      status: 200,
      body: 'one',
      line: 'tidegate; fwd=stale; fwd-status=304; stored; ttl=60',
    });
    expect(now.asked()[1]).toMatch(/if-none-match: "v1"/i);
    expect((await ask()).line).toBe('tidegate; hit; ttl=60');
  });

  it('tells why it stores nothing', async () => {
    now = await stage(answer(200, [['Cache-Control', 'no-store']], 'x'), { ttl: '5m' });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=no-store');
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=no-store');
    expect(now.asked()).toHaveLength(2);
  });

  it('answers conditions and ranges from what is stored', async () => {
    now = await stage(fresh('0123456789', [['ETag', '"v1"']]), true);
    await ask();
    expect(await ask('/a', { headers: ['If-None-Match: W/"v1"'] })).toMatchObject({ status: 304, body: '' });
    expect(await ask('/a', { headers: ['Range: bytes=2-4'] })).toMatchObject({ status: 206, body: '234' });
    expect((await ask('/a', { headers: ['Range: bytes=20-'] })).status).toBe(416);
    expect(now.asked()).toHaveLength(1);
  });

  it('cuts a part from the whole it fetches, and keeps the whole', async () => {
    now = await stage(fresh('0123456789'), true);
    expect(await ask('/a', { headers: ['Range: bytes=2-4'] })).toMatchObject({ status: 206, body: '234' });
    expect(now.asked()[0]).not.toMatch(/range/i);
    expect(await ask()).toMatchObject({ body: '0123456789', line: 'tidegate; hit; ttl=60' });
  });

  it('HEAD is answered from what GET stored', async () => {
    now = await stage(fresh(), true);
    await ask();
    const head = await ask('/a', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', line: 'tidegate; hit; ttl=60' });
    expect(value(head.response, 'content-length')).toBe('3');
  });

  it('an unsafe request unseats what was stored of its URL before its client sees the answer', async () => {
    now = await stage([fresh('one'), answer(204), fresh('two')], true);
    await ask();
    expect((await ask('/a', { method: 'PUT', body: 'x' })).status).toBe(204);
    expect((await ask()).body).toBe('two');
  });

  it('only-if-cached is 504 where nothing is stored', async () => {
    now = await stage(fresh(), true);
    expect((await ask('/a', { headers: ['Cache-Control: only-if-cached'] })).status).toBe(504);
    expect(now.asked()).toHaveLength(0);
  });

  it('a stale answer is given while it is asked for again in the background', async () => {
    now = await stage([fresh('one'), fresh('two')], { staleWhileRevalidate: '30s' });
    await ask();
    now.clock.advance(70_000);
    expect(await ask()).toMatchObject({
      body: 'one',
      line: 'tidegate; hit; ttl=-10; detail=stale-while-revalidate',
    });
    await expect.poll(async () => (await ask()).body).toBe('two');
    expect(now.asked()).toHaveLength(2);
  });

  it('a stale answer stands in for an error', async () => {
    now = await stage([fresh('one'), answer(503, [], 'down')], { staleIfError: '5m' });
    await ask();
    now.clock.advance(70_000);
    expect(await ask()).toMatchObject({
      status: 200,
      body: 'one',
      line: 'tidegate; fwd=stale; fwd-status=503; ttl=-10; detail=stale-if-error',
    });
  });

  it('what is coded is kept apart from what is not, also where the origin says no Vary', async () => {
    now = await stage([fresh('zzz', [['Content-Encoding', 'gzip']]), fresh('plain')], true);
    await ask('/a', { headers: ['Accept-Encoding: gzip'] });
    expect((await ask()).body).toBe('plain');
    expect((await ask('/a', { headers: ['Accept-Encoding: gzip'] })).line).toMatch(/hit/);
  });
});

describe('whose answer it is', () => {
  it('an answer to a request with a cookie is not stored where nobody says whose it is', async () => {
    now = await stage(fresh(), true);
    expect((await ask('/a', { headers: ['Cookie: s=1'] })).line).toBe(
      'tidegate; fwd=uri-miss; detail=cookie',
    );
  });

  it('a request with a cookie gets nothing that it could not itself have stored', async () => {
    now = await stage([fresh('anonymous'), fresh('for bob')], true);
    await ask();
    expect((await ask('/a', { headers: ['Cookie: s=bob'] })).body).toBe('for bob');
    expect((await ask()).body).toBe('anonymous');
  });

  it('cookies that are ignored do not reach the origin', async () => {
    now = await stage(fresh(), { ignoreCookies: true });
    await ask('/a', { headers: ['Cookie: s=1'] });
    expect(now.asked()[0]).not.toMatch(/cookie/i);
    expect((await ask()).line).toMatch(/hit/);
  });

  it.each([
    ['removed', { remove: ['Cookie'] }],
    ['not let through', { only: ['accept'] }],
    ['replaced', { set: { cookie: 'shop=1' } }],
  ])('a cookie that is %s on its way counts only where an expression looks at it', async (_, headers) => {
    const cookie = { headers: ['Cookie: s=1'] };
    now = await stage(fresh(), true, { request: { headers } });
    await ask('/a', cookie);
    expect((await ask('/a', cookie)).line).toMatch(/hit/);
    expect(now.asked()[0]).not.toMatch(/s=1/);
    await now.close();
    const match = { path: '/*', when: 'request.cookies.s != ""' };
    now = await stage(fresh(), true, { request: { headers }, match });
    expect((await ask('/a', cookie)).line).toMatch(/detail=cookie/);
  });

  it('of cookies in the key only those reach the origin, and each value has its own entry', async () => {
    now = await stage([fresh('b1'), fresh('b2')], { key: { cookies: ['b'] } });
    await ask('/a', { headers: ['Cookie: a=1; b=1'] });
    expect(now.asked()[0]).toMatch(/\r\ncookie: b=1\r\n/i);
    expect((await ask('/a', { headers: ['Cookie: a=2; b=1'] })).body).toBe('b1');
    expect((await ask('/a', { headers: ['Cookie: a=1; b=2'] })).body).toBe('b2');
  });

  it('a vary without a value keeps nothing', async () => {
    now = await stage(fresh(), { vary: 'request.headers["x-tenant"]' });
    expect((await ask()).line).toBe('tidegate; fwd=bypass; detail=key');
    await ask('/a', { headers: ['X-Tenant: a'] });
    expect((await ask('/a', { headers: ['X-Tenant: a'] })).line).toMatch(/hit/);
    expect((await ask('/a', { headers: ['X-Tenant: b'] })).line).toMatch(/stored/);
  });
});

describe('what is not in the key does not reach the origin', () => {
  it('headers that name another host, scheme, path or method (cache poisoning)', async () => {
    now = await stage(fresh(), true);
    const evil = [
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Proto: gopher',
      'X_Forwarded_Host: evil.test',
      'X-Original-URL: /admin',
      'X-Rewrite-URL: /admin',
      'X-HTTP-Method-Override: DELETE',
      'X-Forwarded-Prefix: /evil',
      'X-Host: evil.test',
      'X-Original-Host: evil.test',
      'X-HTTP-Host-Override: evil.test',
      'X-Original-URI: /admin',
      'X-URL-Scheme: gopher',
      'Front-End-Https: evil',
    ];
    await ask('/a', { headers: evil });
    expect(now.asked()[0]).not.toMatch(/evil|gopher|admin|DELETE/);
  });

  it('nor do they through a trusted proxy, which may leave alone what its client sent', async () => {
    now = await stage(fresh(), true, {}, undefined, ['127.0.0.1']);
    const evil = ['Forwarded: for=192.0.2.1;host=evil.test', 'X-Forwarded-Ssl: evil'];
    await ask('/a', { headers: evil });
    expect(now.asked()[0]).not.toMatch(/evil/);
  });

  it('query parameters that are ignored, while the order of the others is made one', async () => {
    now = await stage(fresh(), { key: { query: { ignore: ['utm_*'], sort: true } } });
    await ask('/a?b=2&utm_source=x&a=1');
    expect(now.asked()[0]).toMatch(/^GET \/a\?a=1&b=2 /);
    expect((await ask('/a?a=1&b=2&utm_medium=y')).line).toMatch(/hit/);
  });

  it('the body of a GET', async () => {
    now = await stage(fresh(), true);
    await ask('/a', { body: 'evil' });
    expect(now.asked()[0]).not.toMatch(/content-length/i);
  });

  it.each([
    ['that only the origin can judge', true, ['If-Match: "a"']],
    ['whose key has no value', { vary: 'request.headers["x-tenant"]' }, []],
  ])(
    'any of that by a request %s, either; whoever looks at it afterwards sees it whole',
    async (_, more, headers) => {
      const key = { key: { query: ['page'] } };
      const response = { headers: { set: { 'x-asked': '{request.url}' } } };
      now = await stage(fresh(), { ...key, ...(more === true ? {} : more) }, { response });
      const { status, response: got } = await ask('/a?utm=evil&page=2', { headers, body: 'evil' });
      expect(status).toBe(200);
      expect(now.asked()[0]).toMatch(/^GET \/a\?page=2 /);
      expect(now.asked()[0]).not.toMatch(/evil|content-length/i);
      expect(value(got, 'x-asked')).toBe('http://shop.test/a?utm=evil&page=2');
    },
  );

  it('a Host in capitals, or with the usual port, is the same key', async () => {
    now = await stage(fresh(), true);
    await ask();
    expect((await ask('/a', { host: 'SHOP.test:80' })).line).toMatch(/hit/);
    expect((await ask('/a', { host: 'shop.test:81' })).line).toMatch(/stored/);
  });
});

describe('tags', () => {
  it('an empty value in a tag, or one that fails, keeps the answer from being stored', async () => {
    now = await stage(fresh(), { tags: ['order:{request.query.id}'] });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=tags');
    expect((await ask('/a?id=')).line).toBe('tidegate; fwd=uri-miss; detail=tags');
    expect((await ask('/a?id=1')).line).toBe('tidegate; fwd=uri-miss; stored');
  });

  it('may come from the answer, with integers in their digits', async () => {
    now = await stage(fresh('{"id": 90071992547409931, "items": []}'), {
      tags: ['order:{response.body.id}'],
    });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; stored');
    expect((await ask()).line).toMatch(/hit/);
  });

  it('a list of them that is empty keeps the answer from being stored', async () => {
    now = await stage(fresh('{"items": []}'), { tags: ['item:{response.body.items.map(i, i.sku)}'] });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=tags');
  });

  it('store decides by the answer', async () => {
    now = await stage([fresh('{"final": false}'), fresh('{"final": true}')], {
      store: 'response.body.final',
    });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=store');
    expect((await ask()).line).toMatch(/stored/);
  });
});
