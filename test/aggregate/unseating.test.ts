import { afterEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/index.ts';
import { type Script, type ScriptedOrigin, scriptedOrigin } from '../../src/testkit/index.ts';
import { bareGateway } from '../bare-gateway.ts';
import { json, replying } from './stage.ts';

describe('one changed row unseats the aggregate too', () => {
  let gateway: Gateway | undefined;
  let shop: ScriptedOrigin | undefined;
  let number = 0;
  afterEach(async () => {
    await gateway?.drain(0);
    await shop?.close();
  });

  /** Gives what asks once more, and tells how often the service has been asked by then. */
  async function start(script: Script, routes: object) {
    shop = await scriptedOrigin(script);
    const services = { shop: { url: shop.url }, none: { url: 'http://127.0.0.1:1' } };
    const bare = await bareGateway({ services, routes });
    gateway = bare.gateway;
    return async () => {
      await (await fetch(`http://127.0.0.1:${bare.port}/page`)).text();
      return shop!.requests.length;
    };
  }

  const changed = (...tags: string[]) =>
    gateway!.cache.fences.apply(++number, { tags, prefixes: [], all: false, soft: false });

  it('by the tags of its calls, its own, and those that its services name', async () => {
    const script = replying((target) =>
      json({ id: target.slice(1) }, 200, target === '/b' ? [['Surrogate-Key', 'named-b x']] : []),
    );
    const ask = await start(script, {
      page: {
        match: '/page',
        aggregate: {
          calls: {
            a: {
              to: 'shop',
              path: '/a',
              cache: { ttl: '1m', tags: ['row:{response.body.id}', 'all, of a'] },
            },
            b: { to: 'shop', path: '/b' },
          },
        },
        cache: { ttl: '1m', tags: ['page:{response.body.a.id}'] },
      },
    });
    expect(await ask()).toBe(2);
    expect(await ask()).toBe(2);
    changed('row:other');
    expect(await ask()).toBe(2);
    // The part itself is unseated with it.
    changed('row:a');
    expect(await ask()).toBe(4);
    changed('all, of a');
    expect(await ask()).toBe(6);
    changed('named-b');
    expect(await ask()).toBe(7);
    changed('page:a');
    expect(await ask()).toBe(8);
    expect(await ask()).toBe(8);
  });

  it('by the tags of another route that a call asks', async () => {
    const ask = await start(json({ id: 1 }), {
      inner: {
        match: '/inner/{id}',
        to: 'shop',
        cache: { ttl: '1m', tags: ['row:{params.id}', 'body:{response.body.id}'] },
      },
      page: {
        match: '/page',
        aggregate: { calls: { a: { route: 'inner', path: '/inner/7' } } },
        cache: { ttl: '1m' },
      },
    });
    expect(await ask()).toBe(1);
    expect(await ask()).toBe(1);
    changed('row:7');
    expect(await ask()).toBe(2);
    expect(await ask()).toBe(2);
    changed('body:1');
    expect(await ask()).toBe(3);
  });

  it('is not kept where a tag of a part can not be told', async () => {
    const ask = await start(json({ id: 1 }), {
      page: {
        match: '/page',
        aggregate: {
          calls: {
            a: { to: 'shop', path: '/a', cache: { ttl: '1m', tags: ['row:{response.body.missing}'] } },
          },
        },
        cache: { ttl: '1m' },
      },
    });
    expect(await ask()).toBe(1);
    expect(await ask()).toBe(2);
  });

  describe('where an aggregate is a part of it', () => {
    const page = {
      match: '/page',
      aggregate: { calls: { a: { route: 'inner', path: '/inner' }, own: { to: 'shop', path: '/own' } } },
      cache: { ttl: '1m' },
    };
    const calls = { b: { to: 'shop', path: '/b' }, c: { to: 'shop', path: '/c' } };
    const named = (more: Record<string, [string, string][]> = {}) =>
      replying((target) => json({ id: 1 }, 200, [['Surrogate-Key', `of${target}`], ...(more[target] ?? [])]));

    it.each([
      ['keeps nothing itself', { match: '/inner', aggregate: { calls } }],
      ['is kept itself', { match: '/inner', aggregate: { calls }, cache: { ttl: '1m', tags: ['inner'] } }],
    ])('that %s', async (_what, inner) => {
      const ask = await start(named(), { inner, page });
      expect(await ask()).toBe(3);
      expect(await ask()).toBe(3);
      changed('of/c');
      expect(await ask()).toBe(6);
      changed('of/own');
      expect(await ask()).toBe('cache' in inner ? 7 : 9);
      expect(await ask()).toBe('cache' in inner ? 7 : 9);
      changed('inner');
      expect(await ask()).toBe('cache' in inner ? 10 : 9);
    });

    it('that asks for another one', async () => {
      const ask = await start(named(), {
        inmost: { match: '/inmost', aggregate: { calls } },
        inner: { match: '/inner', aggregate: { calls: { m: { route: 'inmost', path: '/inmost' } } } },
        page,
      });
      expect(await ask()).toBe(3);
      expect(await ask()).toBe(3);
      changed('of/b');
      expect(await ask()).toBe(6);
    });

    it.each<[string, [string, string], object]>([
      ['no-store', ['Cache-Control', 'no-store'], {}],
      ['Set-Cookie', ['Set-Cookie', 'a=1'], {}],
      ['no lifetime', ['X-Nothing', '1'], { cache: true }],
    ])('is not kept where a part of that says %s', async (_what, line, more) => {
      const lines = { '/b': [['Cache-Control', 'max-age=60'] as [string, string]], '/c': [line] };
      const ask = await start(named({ '/own': lines['/b'], ...lines }), {
        inner: { match: '/inner', aggregate: { calls } },
        page: { ...page, ...more },
      });
      expect(await ask()).toBe(3);
      expect(await ask()).toBe(6);
    });

    it('is not kept where that looks at what is of one client alone, or is partial', async () => {
      const ask = await start(named(), {
        inner: { match: '/inner', aggregate: { calls, body: '{"ip": request.ip, "b": b.body}' } },
        page,
      });
      expect(await ask()).toBe(3);
      expect(await ask()).toBe(6);
      await gateway!.drain(0);
      await shop!.close();
      const partial = await start(named(), {
        inner: {
          match: '/inner',
          aggregate: { calls: { x: { to: 'none', path: '/x', optional: true }, ...calls } },
        },
        page,
      });
      expect(await partial()).toBe(3);
      expect(await partial()).toBe(6);
    });
  });
});
