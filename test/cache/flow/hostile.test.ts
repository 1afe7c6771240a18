import { afterEach, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, until } from '../../../src/testkit/index.ts';
import { type Ask, type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

const fresh = (body = 'one', headers: [string, string][] = []) =>
  answer(200, [['Cache-Control', 'max-age=60'], ...headers], body);

async function ask(path?: string, options?: Ask) {
  const { status, body, headers } = await now.ask(path, options);
  const value = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1];
  return { status, body: body.toString(), line: value('cache-status'), value };
}

function held() {
  const waiting: OriginExchange[] = [];
  return { waiting, script: (exchange: OriginExchange) => void waiting.push(exchange) };
}

describe('what a hostile client cannot do', () => {
  it('a Host with a port that is none does not end the worker', async () => {
    now = await stage(fresh(), true);
    for (const host of ['shop.test:99999', 'shop.test:0', '[::1]:99999', '%zz', 'a..b', 'xn--a']) {
      await ask('/a', { host }).catch(() => null);
      await ask('/a', { host, method: 'PUT', body: 'x' }).catch(() => null);
    }
    expect((await ask()).status).toBe(200);
  });

  it('groups of a Host that is none do not end the worker', async () => {
    now = await stage(
      fresh('one', [
        ['Cache-Groups', '"a"'],
        ['Cache-Group-Invalidation', '"a"'],
      ]),
      true,
    );
    for (const host of ['shop.test:99999', '%zz']) {
      await ask('/a', { host }).catch(() => null);
      await ask('/a', { host, method: 'PUT', body: 'x' }).catch(() => null);
    }
    expect((await ask()).status).toBe(200);
  });

  it('poison what GET stored by a HEAD with headers that are not in the key', async () => {
    const reflecting = (exchange: OriginExchange) => {
      const raw = exchange.request.raw.toString('latin1');
      const evil = /x-forwarded-host: (evil[^\r]*)/i.exec(raw)?.[1] ?? 'good';
      const head = `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\nX-Seen: ${evil}\r\n\r\n`;
      return exchange.send(raw.startsWith('HEAD') ? head : `${head}one`);
    };
    now = await stage(reflecting, true);
    await ask();
    await ask('/a', {
      method: 'HEAD',
      headers: ['X-Forwarded-Host: evil.test', 'Cache-Control: no-cache'],
    });
    expect((await ask()).value('x-seen')).toBe('good');
  });

  it('poison what is kept for a cookie by the same value in quotes, or by its name alone', async () => {
    now = await stage(fresh(), { ttl: '1m', key: { cookies: ['lang'] } });
    await ask('/a', { headers: ['Cookie: lang="de"'] });
    await ask('/a', { headers: ['Cookie: lang'] });
    expect((await ask('/a', { headers: ['Cookie: lang=de'] })).line).toMatch(/stored$/);
    expect((await ask('/a')).line).toMatch(/stored$/);
    expect((await ask('/a', { headers: ['Cookie: other=1; lang=de'] })).line).toMatch(/hit/);
  });

  it('poison what is kept for a body by the same bytes in another type or coding', async () => {
    now = await stage(fresh(), { ttl: '1m', methods: ['POST'], key: { body: true } });
    const post = (...headers: string[]) => ask('/a', { method: 'POST', body: '{}', headers });
    await post('Content-Type: text/plain');
    expect((await post('Content-Type: application/json')).line).toMatch(/stored$/);
    expect((await post('Content-Type: application/json', 'Content-Encoding: gzip')).line).toMatch(/stored$/);
    expect((await post('Content-Type: application/json')).line).toMatch(/hit/);
  });

  it('a HEAD tells the origin nothing that is not in the key', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n';
    now = await stage(head, { key: { query: { ignore: ['utm_*'] } }, ignoreCookies: true });
    await ask('/a?utm_source=x&b=1', { method: 'HEAD', headers: ['Cookie: s=1', 'X-Original-URL: /admin'] });
    expect(now.asked()[0]).not.toMatch(/utm_source|cookie|admin/i);
    expect(now.asked()[0]).toMatch(/^HEAD \/a\?b=1 /);
  });

  it('cookies that are ignored do not reach the origin either where the request goes past the cache', async () => {
    now = await stage(fresh(), { ignoreCookies: true });
    await ask('/a', { headers: ['Cookie: s=1', 'If-Match: "a"'] });
    expect(now.asked()[0]).not.toMatch(/cookie/i);
  });

  it('join with cookies what is being read for others', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const anonymous = ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const bob = ask('/a', { headers: ['Cookie: s=bob'] });
    await until(() => waiting.length === 2, 'a second request at the origin');
    await waiting[0]!.send(fresh('for all'));
    await waiting[1]!.send(fresh('for bob'));
    expect((await anonymous).body).toBe('for all');
    expect((await bob).body).toBe('for bob');
    expect((await ask()).body).toBe('for all');
  });

  it('make others wait for each other with cookies, once it is known that nobody may share', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const first = ask('/a', { headers: ['Cookie: s=1'] });
    await until(() => waiting.length === 1, 'a request at the origin');
    await waiting[0]!.send(fresh('1'));
    await first;
    const asks = [2, 3, 4].map((n) => ask('/a', { headers: [`Cookie: s=${n}`] }));
    await until(() => waiting.length === 4, 'all of them at the origin');
    for (const one of waiting.slice(1)) await one.send(fresh('x'));
    await Promise.all(asks);
    // Those without a cookie still share.
    const plain = [ask(), ask(), ask()];
    await until(() => waiting.length === 5, 'one more at the origin');
    await now.settled();
    await waiting[4]!.send(fresh('plain'));
    for (const one of await Promise.all(plain)) expect(one.body).toBe('plain');
  });
});

describe('methods that are cached', () => {
  it('a POST with its body in the key is answered from what was stored, and unseats nothing', async () => {
    now = await stage([fresh('a'), fresh('b'), fresh('never')], {
      methods: ['GET', 'POST'],
      key: { body: true },
    });
    expect((await ask('/a', { method: 'POST', body: 'q=1' })).body).toBe('a');
    expect((await ask('/a', { method: 'POST', body: 'q=2' })).body).toBe('b');
    expect(await ask('/a', { method: 'POST', body: 'q=1' })).toMatchObject({
      body: 'a',
      line: 'tidegate; hit; ttl=60',
    });
    expect((await ask('/a', { method: 'POST', body: 'q=2' })).line).toMatch(/hit/);
    expect(now.asked()[0]).toMatch(/q=1$/);
  });

  it.each([
    ['that nobody reads before', {}],
    ['that an expression reads', { request: { headers: { set: { 'x-n': '{request.body.n}' } } } }],
  ])('a body of over 64 KiB %s goes past the cache', async (_what, route) => {
    now = await stage(
      [fresh('a'), fresh('b')],
      { methods: ['GET', 'POST'], key: { body: true } },
      { ...route, maxBody: '1MiB' },
    );
    const body = JSON.stringify({ n: 1, long: 'x'.repeat(64 * 1024) });
    for (const text of ['a', 'b'])
      expect(await ask('/a', { method: 'POST', body })).toMatchObject({
        body: text,
        line: 'tidegate; fwd=bypass; detail=body',
      });
  });
});

describe('who wants an answer newer than its request', () => {
  it('does not join a fill that began before it came, also while nothing is stored', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const first = ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const reload = ask('/a', { headers: ['Cache-Control: no-cache'] });
    await now.settled();
    await waiting[0]!.send(fresh('old'));
    await until(() => waiting.length === 2, 'a second request at the origin');
    await waiting[1]!.send(fresh('new'));
    expect((await first).body).toBe('old');
    expect((await reload).body).toBe('new');
  });

  it('waits no longer for the next fill than its own time allows', async () => {
    const { waiting, script } = held();
    now = await stage(script, true, { timeout: '2s' });
    const first = ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    now.clock.advance(1_000);
    const reload = ask('/a', { headers: ['Cache-Control: no-cache'] });
    await now.settled();
    now.clock.advance(1_100);
    expect((await first).status).toBe(504);
    now.clock.advance(1_000);
    expect((await reload).status).toBe(504);
  });
});

describe('the cookie by which the gateway itself keeps a client at its side', () => {
  it('keeps nobody from what is stored', async () => {
    now = await stage(fresh(), true, {
      to: [
        { service: 'shop', weight: 1 },
        { service: 'shop', weight: 1 },
      ],
      sticky: { cookie: 'side' },
    });
    const first = await ask();
    const cookie = first.value('set-cookie')!.split(';')[0]!;
    expect(await ask('/a', { headers: [`Cookie: ${cookie}`] })).toMatchObject({
      line: 'tidegate; hit; ttl=60',
    });
  });
});

describe('a change names a URL in the spelling in which it is filed', () => {
  it.each([
    ['/a%7Eb', '/a~b'],
    ["/a?q='x'", "/a?q='x'"],
    ['/a{b}', '/a%7Bb%7D'],
    ['/x/../a%c3%a9', '/a%C3%A9'],
  ])('PUT %s unseats GET %s', async (put, get) => {
    now = await stage([fresh('one'), answer(204), fresh('two')], true);
    expect((await ask(get)).line).toMatch(/stored/);
    await ask(put, { method: 'PUT', body: 'x' });
    expect((await ask(get)).body).toBe('two');
  });

  it('what is kept of its URL without the parameters that are not in the key', async () => {
    now = await stage(
      ({ request, connection }: OriginExchange) =>
        connection.send(request.method === 'PUT' ? answer(201, [['Location', '/b?utm=2&y=1']]) : fresh()),
      { ttl: '1m', key: { query: { ignore: ['utm'] } } },
    );
    for (const path of ['/a?x=1', '/a?x=2', '/b?y=1']) await ask(path);
    await ask('/a?utm=1&x=1', { method: 'PUT', body: 'x' });
    expect((await ask('/a?x=1&utm=3')).line).toMatch(/stored$/);
    expect((await ask('/b?y=1')).line).toMatch(/stored$/);
    expect((await ask('/a?x=2')).line).toMatch(/hit/);
  });

  it('Location and Content-Location of the same origin too, not of another', async () => {
    now = await stage(
      [
        fresh('b'),
        fresh('c'),
        answer(201, [
          ['Location', '/b'],
          ['Content-Location', 'http://other.test/c'],
        ]),
        fresh('b2'),
      ],
      true,
    );
    await ask('/b');
    await ask('/c');
    await ask('/a', { method: 'POST', body: 'x' });
    expect((await ask('/c')).body).toBe('c');
    expect((await ask('/b')).body).toBe('b2');
  });
});
