import { afterEach, describe, expect, it } from 'vitest';
import { answer, headerValue, type OriginExchange } from '../../../src/testkit/index.ts';
import { type Ask, type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

type Pair = [string, string];
const said = (control: string, body = 'one', headers: Pair[] = []) =>
  answer(200, [['Cache-Control', control], ...headers], body);

async function ask(path?: string, options?: Ask) {
  const response = await now.ask(path, options);
  const value = (name: string) => headerValue(response, name);
  return {
    status: response.status,
    text: response.body.toString(),
    line: value('cache-status') ?? '',
    value,
  };
}

describe('RFC 9111 as the whole gateway keeps it', () => {
  it('§3.2, §4.3.4: what a 304 says of the head is told to whoever is answered from then on', async () => {
    now = await stage(
      [
        said('max-age=10', 'one', [
          ['ETag', '"a"'],
          ['X-Rank', '1'],
          ['X-Kept', 'yes'],
        ]),
        'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=30\r\nX-Rank: 2\r\nContent-Length: 999\r\n\r\n',
      ],
      true,
    );
    await ask();
    now.clock.advance(15_000);
    for (const line of [/fwd=stale; fwd-status=304; stored/, /hit; ttl=30/]) {
      const { text, value, line: told } = await ask();
      expect(told).toMatch(line);
      expect([text, value('x-rank'), value('x-kept'), value('content-length')]).toEqual([
        'one',
        '2',
        'yes',
        '3',
      ]);
    }
  });

  it('§3.3: what ends with its connection is stored where that was closed, not where it was cut', async () => {
    const head = 'HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\nwhole';
    const closing = async (exchange: OriginExchange) => {
      await exchange.send(head);
      if (exchange.request.target === '/cut') exchange.connection.reset();
      else exchange.connection.end();
    };
    now = await stage(closing, true);
    expect((await ask('/whole')).text).toBe('whole');
    expect((await ask('/whole')).line).toMatch(/hit/);
    await ask('/cut').catch(() => null);
    await ask('/cut').catch(() => null);
    expect(now.asked()).toHaveLength(3);
  });

  it('§3.4: a part of what can not be stored comes from the origin, and is stored for nobody', async () => {
    now = await stage((exchange) => {
      const range = exchange.request.headers.find(([name]) => name.toLowerCase() === 'range');
      if (range === undefined) return exchange.send(said('no-store', 'abcdef'));
      return exchange.send(
        answer(
          206,
          [
            ['Cache-Control', 'max-age=60'],
            ['Content-Range', 'bytes 1-2/6'],
          ],
          'bc',
        ),
      );
    }, true);
    for (let i = 0; i < 2; i++) {
      const part = await ask('/a', { headers: ['Range: bytes=1-2'] });
      expect([part.status, part.text]).toEqual([206, 'bc']);
    }
    expect(await ask()).toMatchObject({ status: 200, text: 'abcdef' });
  });

  it('§5.2.2.4: the fields that no-cache names are not told again, and the rest is', async () => {
    now = await stage([said('max-age=60, no-cache="X-Mine"', 'one', [['X-Mine', 'you']])], true);
    expect((await ask()).value('x-mine')).toBe('you');
    const { line, value } = await ask();
    expect(line).toMatch(/hit/);
    expect(value('x-mine')).toBeUndefined();
  });

  it.each([
    ['must-revalidate', 'max-age=10, must-revalidate, stale-while-revalidate=60, stale-if-error=60'],
    ['proxy-revalidate', 'max-age=10, proxy-revalidate, stale-while-revalidate=60, stale-if-error=60'],
    ['no-cache', 'max-age=60, no-cache, stale-while-revalidate=60, stale-if-error=60'],
  ])('§4.2.4: %s lets nothing stale through, whatever the client would take', async (_what, control) => {
    now = await stage([said(control, 'one', [['ETag', '"a"']]), answer(503, [], 'down')], true);
    await ask();
    now.clock.advance(15_000);
    expect(await ask('/a', { headers: ['Cache-Control: max-stale'] })).toMatchObject({ status: 503 });
  });

  it('§4.3.1: the client’s own condition is asked of what is stored, and the origin is asked with its tag', async () => {
    now = await stage(
      [
        said('max-age=10', 'one', [['ETag', '"a"']]),
        answer(304, [
          ['ETag', '"a"'],
          ['Cache-Control', 'max-age=10'],
        ]),
      ],
      true,
    );
    await ask();
    now.clock.advance(15_000);
    expect(await ask('/a', { headers: ['If-None-Match: "old"'] })).toMatchObject({
      status: 200,
      text: 'one',
    });
    expect(now.asked()[1]).toMatch(/If-None-Match: "a"\r\n/i);
    expect(now.asked()[1]).not.toMatch(/"old"/);
    expect(await ask('/a', { headers: ['If-None-Match: "x", W/"a"'] })).toMatchObject({ status: 304 });
  });

  it('§4.3.2: If-Match and If-Unmodified-Since are for the origin alone', async () => {
    now = await stage([said('max-age=60'), answer(412), answer(412)], true);
    await ask();
    for (const line of ['If-Match: "b"', 'If-Unmodified-Since: Thu, 01 Jan 2026 00:00:00 GMT'])
      expect(await ask('/a', { headers: [line] })).toMatchObject({ status: 412 });
    expect((await ask()).line).toMatch(/hit/);
  });

  it('§4.4: a method that nobody knows unseats, too; an error does not', async () => {
    now = await stage((exchange) => {
      const { method } = exchange.request;
      return exchange.send(method === 'GET' ? said('max-age=60') : answer(method === 'MELT' ? 204 : 409));
    }, true);
    await ask();
    await ask('/a', { method: 'PUT', body: 'x' });
    expect((await ask()).line).toMatch(/hit/);
    await ask('/a', { method: 'MELT', body: 'x' });
    expect((await ask()).line).toMatch(/fwd=uri-miss/);
  });

  it('§5.5: Warning means nothing any more: it goes along as it came, and none is made', async () => {
    const old = '110 - "Response is Stale"';
    now = await stage([said('max-age=10, stale-while-revalidate=60', 'one', [['Warning', old]])], true);
    await ask();
    expect((await ask()).value('warning')).toBe(old);
    now.clock.advance(15_000);
    const stale = await now.ask();
    expect(stale.headers.filter(([name]) => name.toLowerCase() === 'warning')).toEqual([['Warning', old]]);
  });

  it('RFC 9110 §6.6.1: an answer without Date gets the one at which it came, and keeps it', async () => {
    now = await stage(['HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1\r\n\r\nx'], true);
    const first = (await ask()).value('date');
    now.clock.advance(20_000);
    const second = await ask();
    expect(second.value('date')).toBe(first);
    expect(second.value('age')).toBe('20');
  });

  it('§4.1: what varies by X-Forwarded-For, in which the gateway tells the address of its client, is not kept', async () => {
    const script = said('max-age=60', '{}', [['Vary', 'X-Forwarded-For']]);
    now = await stage([script, script], true);
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=vary-star');
    await now.close();
    const aggregate = { calls: { it: { to: 'shop', path: '/a' } } };
    now = await stage([script, script], true, { to: undefined, aggregate });
    expect((await ask()).line).toMatch(/fwd=uri-miss; detail=/);
    expect((await ask()).line).toMatch(/fwd=uri-miss; detail=/);
  });

  it.each<[string, object]>([
    ['the key', { key: { headers: ['x-forwarded-for'] } }],
    ['vary', { vary: 'request.ip', ttl: '60s' }],
  ])('… unless %s names it: then each address has its own, of an aggregate too', async (_what, cache) => {
    const script = said('max-age=60', '{}', [['Vary', 'X-Forwarded-For']]);
    const aggregate = { calls: { it: { to: 'shop', path: '/a' } } };
    for (const route of [{}, { to: undefined, aggregate }]) {
      now = await stage([script], cache, route);
      expect((await ask()).line).toBe('tidegate; fwd=uri-miss; stored');
      expect((await ask()).line).toMatch(/hit/);
      await now.close();
    }
  });

  it('… and where the route makes it of something else, that counts, though the key names it', async () => {
    const script = said('max-age=60', '{}', [['Vary', 'X-Forwarded-For']]);
    const request = { headers: { set: { 'x-forwarded-for': '{request.headers["x-client"]}' } } };
    now = await stage([script, script], { key: { headers: ['x-forwarded-for'] } }, { request });
    expect((await ask('/a', { headers: ['X-Client: 7'] })).line).toBe('tidegate; fwd=uri-miss; stored');
    expect((await ask('/a', { headers: ['X-Client: 8'] })).line).toBe('tidegate; fwd=vary-miss; stored');
  });

  it.each<[string, object]>([
    ['the route', { request: { headers: { set: { 'x-lang': '{request.headers["accept-language"]}' } } } }],
    ['a call', { call: true }],
  ])('§4.1: what varies by a header that %s makes varies by what that was made of', async (_what, more) => {
    const script = (exchange: OriginExchange) =>
      exchange.send(said('max-age=60', JSON.stringify(exchange.request.target), [['Vary', 'X-Lang']]));
    const request = { headers: { set: { 'x-lang': '{request.headers["accept-language"]}' } } };
    const aggregate = { calls: { it: { to: 'shop', path: '/a', cache: true } } };
    now = await stage(
      script,
      'call' in more ? undefined : true,
      'call' in more ? { to: undefined, aggregate, request } : more,
    );
    for (let round = 0; round < 2; round++)
      for (const language of ['de', 'fr']) await ask('/a', { headers: [`Accept-Language: ${language}`] });
    const told = now.asked().map((raw) => /x-lang: (\w+)/i.exec(raw)?.[1]);
    expect(told).toEqual(['de', 'fr']);
  });
});
