import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, until } from '../../../src/testkit/index.ts';
import { type Ask, type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

type Pair = [string, string];
const said = (control: string, body = 'one', headers: Pair[] = []) =>
  answer(200, [['Cache-Control', control], ...headers], body);
const fresh = (body = 'one', headers: Pair[] = []) => said('max-age=60', body, headers);
const plain = (body: string, status = 200) => answer(status, [], body);

async function ask(path?: string, options?: Ask) {
  const { status, body, headers } = await now.ask(path, options);
  const value = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1];
  return { status, body, text: body.toString(), line: value('cache-status') ?? '', value };
}
const with_ = (...headers: string[]): Ask => ({ headers });

describe('ttl', () => {
  it.each([200, 203, 301, 308, 404, 410])('a bare one holds for %i', async (status) => {
    now = await stage(plain('x', status), { ttl: '5m' });
    expect((await ask()).line).toMatch(/stored$/);
    expect((await ask()).line).toBe('tidegate; hit; ttl=300');
  });

  it.each([302, 400, 401, 403, 429, 500, 503])('a bare one does not hold for %i', async (status) => {
    now = await stage(plain('x', status), { ttl: '5m' });
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=no-lifetime');
  });

  it('is said by status; default holds for all but 401, 403, 407, 429 and 5xx', async () => {
    now = await stage([plain('x', 404), plain('x', 302), plain('x', 429), plain('x', 503)], {
      ttl: { 200: '7d', 404: '1m', default: '10s' },
    });
    await ask('/404');
    expect((await ask('/404')).line).toBe('tidegate; hit; ttl=60');
    await ask('/302');
    expect((await ask('/302')).line).toBe('tidegate; hit; ttl=10');
    expect((await ask('/429')).line).toMatch(/detail=no-lifetime/);
    expect((await ask('/503')).line).toMatch(/detail=no-lifetime/);
  });

  it('holds where the origin names none, and not where it does', async () => {
    now = await stage(said('max-age=5'), { ttl: '5m' });
    await ask();
    expect((await ask()).line).toBe('tidegate; hit; ttl=5');
  });

  it('wins with override; no-store still holds', async () => {
    now = await stage([said('max-age=5'), said('no-store')], { ttl: '5m', override: true });
    await ask();
    expect((await ask()).line).toBe('tidegate; hit; ttl=300');
    expect((await ask('/b')).line).toMatch(/detail=no-store/);
  });
});

describe('ignore', () => {
  it.each(['no-store', 'no-cache', 'private'])('%s of the origin', async (what) => {
    now = await stage(said(what), { ttl: '5m', ignore: [what] });
    await ask();
    expect((await ask()).line).toMatch(/hit; ttl=300/);
  });

  it('vary: its fields are taken off the request, never Accept-Encoding', async () => {
    now = await stage(fresh('x', [['Vary', 'X-Fancy, Accept-Encoding']]), { ignore: ['vary'] });
    await ask();
    await ask('/b', with_('X-Fancy: 1', 'Accept-Encoding: gzip'));
    expect(now.asked()[1]).not.toMatch(/x-fancy/i);
    expect(now.asked()[1]).toMatch(/accept-encoding/i);
    expect((await ask('/a', with_('X-Fancy: 2'))).line).toMatch(/hit/);
  });

  it('vary: no answer is kept that was asked for with them, the first one either', async () => {
    now = await stage(
      async (exchange: OriginExchange) => {
        const fancy = exchange.request.headers.find(([name]) => name === 'X-Fancy')?.[1] ?? 'plain';
        await exchange.send(fresh(fancy, [['Vary', 'X-Fancy, Host']]));
      },
      { ignore: ['vary'] },
    );
    expect(await ask('/a', with_('X-Fancy: evil'))).toMatchObject({ status: 200, text: 'plain' });
    expect((await ask()).line).toMatch(/hit/);
    expect(now.asked()).toHaveLength(2);
    expect(now.asked()[1]).toMatch(/Host: shop.test/);
    await ask('/b', with_('X-Fancy: evil'));
    expect(now.asked()).toHaveLength(3);
  });
});

describe('setCookie', () => {
  const cookie = () => fresh('x', [['Set-Cookie', 'a=1']]);

  it('is not stored by default', async () => {
    now = await stage(cookie(), true);
    const first = await ask();
    expect(first.line).toBe('tidegate; fwd=uri-miss; detail=set-cookie');
    expect(first.value('set-cookie')).toBe('a=1');
  });

  it('drop: stored and sent without it', async () => {
    now = await stage(cookie(), { setCookie: 'drop' });
    expect((await ask()).value('set-cookie')).toBeUndefined();
    const second = await ask();
    expect(second.line).toMatch(/hit/);
    expect(second.value('set-cookie')).toBeUndefined();
  });

  it('store: stored as it is, where the key names the user', async () => {
    now = await stage(cookie(), { setCookie: 'store', key: { cookies: ['sid'] } });
    await ask('/a', with_('Cookie: sid=1'));
    const second = await ask('/a', with_('Cookie: sid=1'));
    expect(second.line).toMatch(/hit/);
    expect(second.value('set-cookie')).toBe('a=1');
  });
});

describe('targeted fields', () => {
  it('Tidegate-Cache-Control goes before CDN-Cache-Control, and that before Cache-Control', async () => {
    const control: Pair[] = [
      ['Tidegate-Cache-Control', 'max-age=30'],
      ['CDN-Cache-Control', 'max-age=20'],
    ];
    now = await stage([fresh('x', control), fresh('x', control.slice(1))], true);
    await ask();
    expect((await ask()).line).toBe('tidegate; hit; ttl=30');
    await ask('/b');
    expect((await ask('/b')).line).toBe('tidegate; hit; ttl=20');
  });
});

describe('request directives', () => {
  it('no-cache asks the origin, max-age too where it is older', async () => {
    now = await stage([fresh('1'), fresh('2'), fresh('3')], true);
    await ask();
    expect((await ask('/a', with_('Cache-Control: no-cache'))).text).toBe('2');
    now.clock.advance(10_000);
    expect((await ask('/a', with_('Cache-Control: max-age=30'))).text).toBe('2');
    expect((await ask('/a', with_('Cache-Control: max-age=5'))).text).toBe('3');
  });

  it('Pragma: no-cache asks the origin where there is no Cache-Control', async () => {
    now = await stage([fresh('1'), fresh('2')], true);
    await ask();
    expect((await ask('/a', with_('Pragma: no-cache'))).text).toBe('2');
  });

  it('no-store is honoured: nothing is kept', async () => {
    now = await stage([fresh('1'), fresh('2')], true);
    expect((await ask('/a', with_('Cache-Control: no-store'))).line).toMatch(/detail=request-no-store/);
    expect((await ask()).text).toBe('2');
  });

  it('max-stale takes it stale', async () => {
    now = await stage(fresh(), true);
    await ask();
    now.clock.advance(70_000);
    expect((await ask('/a', with_('Cache-Control: max-stale=20'))).line).toMatch(/hit; ttl=-10/);
  });

  it('immutable: a plain reload is answered from the entry', async () => {
    now = await stage(said('max-age=60, immutable'), true);
    await ask();
    now.clock.advance(5000);
    expect((await ask('/a', with_('Cache-Control: max-age=0'))).line).toMatch(/hit/);
  });

  it('are not honoured where the route says ignoreClientDirectives', async () => {
    now = await stage(fresh(), { ignoreClientDirectives: true });
    await ask();
    for (const control of ['no-cache', 'max-age=0', 'no-store'])
      expect((await ask('/a', with_(`Cache-Control: ${control}`))).line).toMatch(/hit/);
    expect((await ask('/b', with_('Cache-Control: only-if-cached'))).status).toBe(200);
  });
});

describe('Vary', () => {
  it('each value has its own entry, and a miss says why', async () => {
    now = await stage((exchange: OriginExchange) => {
      const lang = /accept-language: (\w+)/i.exec(exchange.request.raw.toString('latin1'))?.[1] ?? '';
      return exchange.send(fresh(lang, [['Vary', 'Accept-Language']]));
    }, true);
    expect((await ask('/a', with_('Accept-Language: de'))).text).toBe('de');
    const other = await ask('/a', with_('Accept-Language: en'));
    expect(other.text).toBe('en');
    expect(other.line).toBe('tidegate; fwd=vary-miss; stored');
    expect((await ask('/a', with_('Accept-Language: de'))).line).toMatch(/hit/);
  });

  it('who waited for a fill that turns out to vary gets its own', async () => {
    const waiting: OriginExchange[] = [];
    now = await stage((exchange) => void waiting.push(exchange), true);
    const de = ask('/a', with_('Accept-Language: de'));
    await until(() => waiting.length === 1, 'a request at the origin');
    const en = ask('/a', with_('Accept-Language: en'));
    await now.settled();
    await waiting[0]!.send(fresh('de', [['Vary', 'Accept-Language']]));
    await until(() => waiting.length === 2, 'a second request at the origin');
    await waiting[1]!.send(fresh('en', [['Vary', 'Accept-Language']]));
    expect([(await de).text, (await en).text]).toEqual(['de', 'en']);
  });

  it('those who waited for it make one fill for each variant, while it still comes in', async () => {
    const waiting: OriginExchange[] = [];
    now = await stage((exchange) => void waiting.push(exchange), true);
    const asks = ['de'].map((lang) => ask('/a', with_(`Accept-Language: ${lang}`)));
    await until(() => waiting.length === 1, 'a request at the origin');
    const others = ['en', 'fr', 'it', 'en', 'fr', 'it', 'de'];
    asks.push(...others.map((lang) => ask('/a', with_(`Accept-Language: ${lang}`))));
    await now.settled();
    const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: Accept-Language\r\n';
    await waiting[0]!.send(`${head}Content-Length: 2\r\n\r\nd`);
    await until(() => waiting.length === 4, 'a request for each variant');
    asks.push(ask('/a', with_('Accept-Language: it')));
    await now.settled();
    for (const exchange of waiting.slice(1)) {
      const lang = /accept-language: (\w+)/i.exec(exchange.request.raw.toString('latin1'))![1]!;
      await exchange.send(fresh(lang, [['Vary', 'Accept-Language']]));
    }
    await Promise.all(asks.slice(1, 7));
    asks.push(ask('/a', with_('Accept-Language: de')));
    await now.settled();
    await waiting[0]!.send('e');
    const texts = (await Promise.all(asks)).map(({ text }) => text);
    expect(texts).toEqual(['de', ...others, 'it', 'de']);
    expect(waiting).toHaveLength(4);
  });

  it('one who wants a part waits for the whole of no other variant', async () => {
    const waiting: OriginExchange[] = [];
    now = await stage((exchange) => void waiting.push(exchange), true);
    const whole = ask('/a', with_('Accept-Language: de'));
    await until(() => waiting.length === 1, 'a request at the origin');
    const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: Accept-Language\r\n';
    await waiting[0]!.send(`${head}Content-Length: 2\r\n\r\nd`);
    await now.settled();
    const part = ask('/a', with_('Accept-Language: fr\r\nRange: bytes=0-0'));
    await until(() => waiting.length === 2, 'a request of its own');
    await waiting[1]!.send(fresh('fr', [['Vary', 'Accept-Language']]));
    expect((await part).text).toBe('f');
    await waiting[0]!.send('e');
    expect((await whole).text).toBe('de');
  });
});

describe('what comes from the origin otherwise than asked', () => {
  it('206 to a request without Range is passed on and not stored', async () => {
    now = await stage(
      answer(
        206,
        [
          ['Cache-Control', 'max-age=60'],
          ['Content-Range', 'bytes 0-2/9'],
        ],
        'abc',
      ),
      true,
    );
    expect((await ask()).line).toBe('tidegate; fwd=uri-miss; detail=partial');
  });

  it('interim answers reach whoever caused the fill', async () => {
    now = await stage(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${fresh('one')}`, true);
    expect((await ask()).text).toBe('one');
    expect((await ask()).line).toMatch(/hit/);
  });

  it('a chunked answer with trailers is stored whole, without them', async () => {
    now = await stage(
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
      true,
    );
    expect((await ask()).text).toBe('abc');
    const second = await ask();
    expect(second.text).toBe('abc');
    expect(second.line).toMatch(/hit/);
  });

  it('an Age of the origin counts', async () => {
    now = await stage(fresh('x', [['Age', '50']]), true);
    await ask();
    expect((await ask()).line).toBe('tidegate; hit; ttl=10');
  });

  it('a clock set back makes nothing older or younger than new', async () => {
    now = await stage(fresh(), true);
    await ask();
    expect((await ask()).value('age')).toBe('0');
  });
});

describe('compression beside the cache', () => {
  it('who takes gzip gets it, who does not gets it plain, both from one entry', async () => {
    const body = 'tidegate '.repeat(400);
    now = await stage(
      fresh(body, [
        ['Content-Type', 'text/plain'],
        ['ETag', '"v"'],
      ]),
      true,
      { compress: true },
    );
    await ask();
    const gzip = await ask('/a', with_('Accept-Encoding: gzip'));
    expect(gzip.value('content-encoding')).toBe('gzip');
    expect(gunzipSync(gzip.body).toString()).toBe(body);
    expect(gzip.line).toMatch(/hit/);
    expect(gzip.value('vary')).toMatch(/accept-encoding/i);
    const identity = await ask();
    expect(identity.text).toBe(body);
    expect(identity.value('content-encoding')).toBeUndefined();
    expect(identity.value('vary')).toMatch(/accept-encoding/i);
    expect(now.asked()).toHaveLength(1);
  });
});

describe('keys', () => {
  it('headers count, by name', async () => {
    now = await stage([fresh('a'), fresh('b')], { key: { headers: ['X-Shop'] } });
    await ask('/a', with_('X-Shop: 1'));
    expect((await ask('/a', with_('X-Shop: 2'))).text).toBe('b');
    expect((await ask('/a', with_('X-Shop: 1'))).text).toBe('a');
  });

  it('the default is the whole query as it came', async () => {
    now = await stage(fresh(), true);
    await ask('/a?b=1&a=2');
    expect((await ask('/a?a=2&b=1')).line).toMatch(/stored/);
    expect((await ask('/a?b=1&a=2')).line).toMatch(/hit/);
  });

  it('query: only those named count, and reach the origin', async () => {
    now = await stage(fresh(), { key: { query: ['page'] } });
    await ask('/a?x=1&page=2');
    expect(now.asked()[0]).toMatch(/^GET \/a\?page=2 /);
    expect((await ask('/a?page=2&y=3')).line).toMatch(/hit/);
  });
});

describe('whose answer it is', () => {
  it.each(['public, max-age=60', 's-maxage=60', 'max-age=60, must-revalidate'])(
    'with a cookie, "%s" lets it be stored for all',
    async (control) => {
      now = await stage(said(control), true);
      expect((await ask('/a', with_('Cookie: s=1'))).line).toMatch(/stored/);
      expect((await ask('/a', with_('Cookie: s=2'))).line).toMatch(/hit/);
      expect((await ask()).line).toMatch(/hit/);
    },
  );

  it('Authorization as a cookie: not stored, and nothing of others is given', async () => {
    now = await stage([fresh('all'), fresh('mine')], true);
    await ask();
    const mine = await ask('/a', with_('Authorization: Basic eDp5'));
    expect(mine.text).toBe('mine');
    expect(mine.line).toMatch(/detail=authorization/);
  });

  it.each([{ ignoreCookies: true }, { key: { cookies: ['s'] } }, { vary: 'request.host' }])(
    '%j says nothing of Authorization that no guard has taken off: it reaches the service',
    async (cache) => {
      const echo = (exchange: OriginExchange) => {
        const who = exchange.request.headers.find(([name]) => name === 'Authorization')?.[1];
        return exchange.send(fresh(who ?? 'all'));
      };
      now = await stage(echo, cache);
      const of = (who: string) => ask('/a', with_('Cookie: s=1', `Authorization: Bearer ${who}`));
      expect(await of('ann')).toMatchObject({ text: 'Bearer ann' });
      expect(await ask('/a', with_('Cookie: s=1'))).toMatchObject({ text: 'all' });
      expect(await of('bob')).toMatchObject({ text: 'Bearer bob' });
      expect((await ask('/a', with_('Cookie: s=1'))).line).toMatch(/hit/);
    },
  );
});

describe('memory', () => {
  it('with none at all fills still collapse, and nothing is kept', async () => {
    const waiting: OriginExchange[] = [];
    now = await stage((exchange) => void waiting.push(exchange), true, {}, { memory: '1B' });
    const asks = [ask(), ask()];
    await until(() => waiting.length === 1, 'a request at the origin');
    await now.settled();
    await waiting[0]!.send(fresh());
    for (const one of await Promise.all(asks)) expect(one.text).toBe('one');
    const again = ask();
    await until(() => waiting.length === 2, 'a second request at the origin');
    await waiting[1]!.send(fresh('two'));
    expect((await again).text).toBe('two');
  });
});

describe('stale-if-error', () => {
  it('of the origin, also where no answer came', async () => {
    now = await stage(
      [said('max-age=60, stale-if-error=300'), (exchange: OriginExchange) => exchange.connection.reset()],
      true,
      { retries: 'none' },
    );
    await ask();
    now.clock.advance(70_000);
    const stale = await ask();
    expect(stale.text).toBe('one');
    expect(stale.line).toMatch(/detail=stale-if-error/);
  });

  it('never by an error that was stored itself: the newer one goes out, and takes its place', async () => {
    now = await stage([plain('first', 503), plain('second', 503)], {
      ttl: { 503: '10s' },
      staleIfError: '1h',
    });
    expect((await ask()).text).toBe('first');
    now.clock.advance(20_000);
    expect((await ask()).text).toBe('second');
    now.clock.advance(1000);
    expect((await ask()).line).toBe('tidegate; hit; ttl=9');
  });

  it('never with must-revalidate', async () => {
    now = await stage([said('max-age=60, must-revalidate, stale-if-error=300'), plain('down', 503)], true);
    await ask();
    now.clock.advance(70_000);
    expect((await ask()).status).toBe(503);
  });
});
