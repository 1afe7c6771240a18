import { afterEach, describe, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { Counters, silentLogger } from '../../src/telemetry/index.ts';
import { type Script, type ScriptedOrigin, scriptedOrigin } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';
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
    const { config } = loadObject(
      { listen: '127.0.0.1:0', admin: false, services: { shop: { url: shop.url } }, routes },
      '.',
      { env: {} },
    );
    gateway = createGateway({
      config: config!,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      counters: new Counters(),
    });
    const [listener] = config!.listen;
    await gateway.listen(listener!.name, listener!);
    const port = gateway.port(listener!.name);
    return async () => {
      await (await fetch(`http://127.0.0.1:${port}/page`)).text();
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

  it('is not kept where a tag of a part can not be told, nor where an aggregate is a part of it', async () => {
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
    await gateway!.drain(0);
    await shop!.close();
    const nested = await start(json({ id: 1 }), {
      inner: { match: '/inner', aggregate: { calls: { a: { to: 'shop', path: '/a' } } } },
      page: {
        match: '/page',
        aggregate: { calls: { a: { route: 'inner', path: '/inner' } } },
        cache: { ttl: '1m' },
      },
    });
    expect(await nested()).toBe(1);
    expect(await nested()).toBe(2);
  });
});
