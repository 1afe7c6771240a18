import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { urlTag } from '../../../src/cache/fences/index.ts';
import { AesSeal } from '../../../src/cache/redis/index.ts';
import { digestOf } from '../../../src/cache/redis/keys.ts';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { entryOf, type Node, purge, startNode, TIMEOUT, urlOf } from './stage.ts';

const first = () => 0;

describe.skipIf(noRedis())('entries in Redis', () => {
  let server: RedisServer;
  let node: Node;
  beforeAll(async () => {
    server = await redisServer();
    node = await startNode(server);
  });
  afterAll(async () => {
    await node?.close();
    await server?.close();
  });
  beforeEach(async () => {
    for (const key of await keys('*')) await server.command('DEL', key);
  });
  const keys = async (pattern: string) =>
    (await server.command('KEYS', `{tidegate}:e:${pattern}`)) as string[];
  const claimOf = (key: string) => `{tidegate}:f:${digestOf(key)}`;
  const now = () => node.fences.sequence;
  const stored = async (key: string, where = node) =>
    await until(() => where.store.get(key, first), `${key} to be stored`);

  it('come back with every field as it was stored', async () => {
    const entry = entryOf({
      url: urlOf('all'),
      sequence: now(),
      status: 404,
      ageAtResponse: 1.5,
      lifetime: Number.POSITIVE_INFINITY,
      staleWhileRevalidate: 30,
      staleIfError: 60,
      mustRevalidate: true,
      noCache: true,
      varyOn: ['accept', 'x-a'],
      varyValues: ['text/html', undefined],
      tags: ['order:1', 'caf\u00e9 \u{1f600}', ''],
      private: true,
      immutable: true,
      etag: 'W/"a"',
      lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT',
      body: randomBytes(1000),
    });
    node.store.put('all', entry, urlOf('all'));
    expect(await stored('all')).toEqual(entry);
    node.store.put('few', entryOf({ sequence: now() }), urlOf('few'));
    expect(await stored('few')).toMatchObject({ etag: undefined, lastModified: undefined, varyOn: [] });
  });

  it('have bodies of any bytes and size: empty, inline, in pieces', async () => {
    for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 3 * 1024 * 1024 + 7]) {
      const body = randomBytes(size);
      node.store.put(`size ${size}`, entryOf({ sequence: now(), body }), urlOf('size'));
      const read = await stored(`size ${size}`);
      expect(read?.body.equals(body)).toBe(true);
    }
  });

  it('are chosen among variants by their heads alone, and come whole', async () => {
    for (const language of ['de', 'en', 'fr']) {
      const variant = { varyOn: ['accept-language'], varyValues: [language], sequence: now() };
      node.store.put('vary', entryOf({ ...variant, body: Buffer.from(`in ${language}`) }), urlOf('vary'));
      node.store.put(
        'vary',
        entryOf({ ...variant, varyValues: [`${language}-big`], body: Buffer.alloc(100_000, language) }),
        urlOf('vary'),
      );
    }
    const choose = (language: string) => (heads: readonly { varyValues: readonly unknown[] }[]) =>
      heads.findIndex(({ varyValues }) => varyValues[0] === language);
    for (const language of ['de', 'en', 'fr']) {
      const small = await until(() => node.store.get('vary', choose(language)), language);
      expect(small?.body.toString()).toBe(`in ${language}`);
      const big = await until(() => node.store.get('vary', choose(`${language}-big`)), language);
      expect(big?.body.equals(Buffer.alloc(100_000, language))).toBe(true);
    }
    expect(await node.store.get('vary', () => -1)).toBeNull();
  });

  it('take the place of the variant that answers the same requests, and no other', async () => {
    const variant = (value: string, body: string) =>
      entryOf({ varyOn: ['a'], varyValues: [value], sequence: now(), body: Buffer.from(body) });
    node.store.put('k', variant('1', 'old'), urlOf('k'));
    node.store.put('k', variant('2', 'other'), urlOf('k'));
    node.store.put('k', variant('1', 'new'), urlOf('k'));
    let bodies: number[] = [];
    await until(async () => {
      const entry = await node.store.get('k', (heads) => {
        bodies = heads.map((_, i) => i);
        return heads.findIndex(({ varyValues }) => varyValues[0] === '1');
      });
      return entry?.body.toString() === 'new';
    }, 'the new entry');
    expect(bodies).toHaveLength(2);
  });

  it('of a fill that a purge overtook are never answered', async () => {
    const sequence = now();
    await node.sequence.invalidate(purge({ tags: ['order:7'] }));
    node.store.put('late', entryOf({ sequence, tags: ['order:7'] }), urlOf('late'));
    node.store.put('after', entryOf({ sequence: now(), tags: ['order:7'] }), urlOf('after'));
    expect(await stored('after')).toBeTruthy();
    expect(await node.store.get('late', first)).toBeNull();
  });

  it.each([
    ['one of its tags', purge({ tags: ['b'] })],
    ['its URL', purge({ tags: [urlTag(urlOf('purged'))] })],
    ['a prefix of its URL', purge({ prefixes: ['http://shop.test/pur'] })],
    ['everything', purge({ all: true })],
  ])('are dead after a purge of %s, in Redis itself', async (_, what) => {
    node.store.put('purged', entryOf({ sequence: now(), tags: ['a', 'b'] }), urlOf('purged'));
    expect(await stored('purged')).toBeTruthy();
    await node.sequence.invalidate(what);
    expect(await node.store.get('purged', first)).toBeNull();
  });

  it('stand after purges of something else', async () => {
    node.store.put('stands', entryOf({ sequence: now(), tags: ['a'] }), urlOf('stands'));
    expect(await stored('stands')).toBeTruthy();
    await node.sequence.invalidate(purge({ tags: ['c', urlTag(urlOf('stand'))], prefixes: ['http://x/'] }));
    expect(await node.store.get('stands', first)).toBeTruthy();
  });

  it.each([
    ['a tag', purge({ tags: ['a'], soft: true })],
    ['a prefix', purge({ prefixes: ['http://shop.test/s'], soft: true })],
    ['all', purge({ all: true, soft: true })],
  ])('are stale, not dead, after a soft purge of %s', async (_, what) => {
    node.store.put('soft', entryOf({ sequence: now(), tags: ['a'] }), urlOf('soft'));
    expect((await stored('soft'))?.lifetime).toBe(60);
    await node.sequence.invalidate(what);
    expect((await node.store.get('soft', first))?.lifetime).toBeLessThan(10);
    node.store.put('soft', entryOf({ sequence: now(), tags: ['a'] }), urlOf('soft'));
    await until(async () => (await node.store.get('soft', first))?.lifetime === 60, 'a fresh one');
  });

  it('are gone when deleted, with their pieces', async () => {
    node.store.put('gone', entryOf({ sequence: now(), body: randomBytes(600_000) }), urlOf('gone'));
    expect(await stored('gone')).toBeTruthy();
    node.store.delete('gone');
    await until(async () => (await keys('*:*')).length === 0, 'no pieces');
    expect(await node.store.get('gone', first)).toBeNull();
  });

  it('are kept for their lifetime and the longer of the times they may be stale', async () => {
    const kept = async (part: object) => {
      node.store.put('ttl', entryOf({ sequence: now(), ...part }), urlOf('ttl'));
      await stored('ttl');
      const [key] = await keys('*');
      const ms = Number(await server.command('PTTL', key!));
      await server.command('DEL', key!);
      return Math.round(ms / 1000);
    };
    expect(await kept({ lifetime: 100, staleWhileRevalidate: 20, staleIfError: 50 })).toBe(150);
    expect(await kept({ lifetime: 100, ageAtResponse: 60 })).toBe(40);
    expect(await kept({ lifetime: Number.POSITIVE_INFINITY })).toBe(30 * 86_400);
    // What can be validated is of use a while longer.
    expect(await kept({ lifetime: 0, etag: '"a"' })).toBe(600);
  });

  it('of which a piece is missing are a miss', async () => {
    node.store.put('torn', entryOf({ sequence: now(), body: randomBytes(600_000) }), urlOf('torn'));
    expect(await stored('torn')).toBeTruthy();
    const [piece] = await keys('*:1');
    await server.command('DEL', piece!);
    expect(await node.store.get('torn', first)).toBeNull();
  });

  it('that another version wrote are a miss', async () => {
    node.store.put('version', entryOf({ sequence: now() }), urlOf('version'));
    expect(await stored('version')).toBeTruthy();
    for (const head of ['{"v":2}', 'not json', '']) {
      const [key] = await keys('*');
      for (const key of await keys('*')) await server.command('HSET', key, 'h-', head);
      expect(key).toBeDefined();
      expect(await node.store.get('version', first)).toBeNull();
    }
  });

  it('wait in bounded memory for a Redis that is slow, and are counted where they are dropped', async () => {
    const own = await redisServer();
    const slow = await startNode(own, { commandTimeout: TIMEOUT });
    try {
      own.freeze();
      const body = Buffer.alloc(1024 * 1024);
      for (let i = 0; i < 100; i++)
        slow.store.put(`slow ${i}`, entryOf({ sequence: slow.fences.sequence, body }), urlOf('slow'));
      expect(slow.store.describe().dropped).toBe(84);
      await until(() => slow.store.describe().dropped === 100, 'all to be given up');
      own.thaw();
      await until(() => slow.isReady(), 'it to be back', 10_000);
      await slow.fill('slow', []);
    } finally {
      await slow.close();
      await own.close();
    }
  });

  describe('encrypted', () => {
    const key = randomBytes(32);
    let sealed: Node;
    beforeAll(async () => {
      sealed = await startNode(server, { seal: new AesSeal(key) });
    });
    afterAll(async () => await sealed?.close());
    const words = async () => {
      const all: string[] = [];
      for (const name of await keys('*')) {
        const type = await server.command('TYPE', name);
        const value =
          type === 'hash' ? await server.command('HGETALL', name) : await server.command('GET', name);
        all.push(`${name} ${String(value)}`);
      }
      return all.join('\n');
    };

    it('can be read by those with the key alone', async () => {
      for (const size of [20, 600_000]) {
        const body = Buffer.alloc(size, 'secret');
        sealed.store.put(
          `sealed ${size}`,
          entryOf({ sequence: now(), tags: ['hidden'], body }),
          'http://shop.test/hidden',
        );
        const read = await until(() => sealed.store.get(`sealed ${size}`, first), 'the sealed entry');
        expect(read?.body.equals(body)).toBe(true);
        expect((await words()).match(/secret|hidden|Content-Type/)).toBeNull();
        expect(await node.store.get(`sealed ${size}`, first)).toBeNull();
        await using other = await startNode(server, { seal: new AesSeal(randomBytes(32)) });
        expect(await other.store.get(`sealed ${size}`, first)).toBeNull();
      }
    });

    it('that somebody changed, or moved to another key, are a miss', async () => {
      const put = async (name: string, body: string) => {
        sealed.store.put(name, entryOf({ sequence: now(), body: Buffer.from(body) }), urlOf(name));
        await stored(name, sealed);
      };
      await put('one', '1');
      const [one] = await keys('*');
      await put('two', '2');
      const two = (await keys('*')).find((name) => name !== one)!;
      await server.command('COPY', one!, two, 'REPLACE');
      expect(await sealed.store.get('two', first)).toBeNull();
      expect(await sealed.store.get('one', first)).toBeTruthy();
      await server.command(
        'EVAL',
        "local b = redis.call('HGET', KEYS[1], 'b-'); redis.call('HSET', KEYS[1], 'b-', string.sub(b, 1, -2) .. string.char((string.byte(b, -1) + 1) % 256))",
        1,
        one!,
      );
      expect(await sealed.store.get('one', first)).toBeNull();
    });
  });

  describe('claims', () => {
    it('are given to one of all nodes, until it releases', async () => {
      await using other = await startNode(server);
      expect(await node.store.claim('fill', 5000)).toBe('mine');
      expect(await other.store.claim('fill', 5000)).toBe('theirs');
      // Not its own to release.
      other.store.release('fill');
      expect(await other.store.claim('fill', 5000)).toBe('theirs');
      const began = performance.now();
      const settled = other.store.settled('fill', 5000);
      node.store.release('fill');
      await settled;
      expect(performance.now() - began).toBeLessThan(1000);
      expect(await other.store.claim('fill', 5000)).toBe('mine');
      other.store.release('fill');
    });

    it('of a filler that died end with their lease', async () => {
      const dying = await startNode(server);
      expect(await dying.store.claim('dying', 300)).toBe('mine');
      await dying.close();
      expect(await node.store.claim('dying', 300)).toBe('theirs');
      const began = performance.now();
      await node.store.settled('dying', 5000);
      expect(performance.now() - began).toBeLessThan(1000);
      expect(await node.store.claim('dying', 300)).toBe('mine');
      node.store.release('dying');
    });

    it('are renewed for as long as the fill lasts, and no longer', async () => {
      await using other = await startNode(server);
      expect(await node.store.claim('long', 300)).toBe('mine');
      let over = false;
      const settled = other.store.settled('long', 10_000).then(() => {
        over = true;
      });
      await pause(1200);
      expect([over, await other.store.claim('long', 300)]).toEqual([false, 'theirs']);
      node.store.release('long');
      await settled;
      expect(await server.command('EXISTS', claimOf('long'))).toBe(0);
      await pause(300);
      expect(await server.command('EXISTS', claimOf('long'))).toBe(0);
    });

    it('of a filler that dies after it has renewed its own end with their lease', async () => {
      const dying = await startNode(server);
      expect(await dying.store.claim('dying later', 300)).toBe('mine');
      await pause(900);
      const settled = node.store.settled('dying later', 10_000);
      await dying.close();
      const began = performance.now();
      await settled;
      expect(performance.now() - began).toBeLessThan(2000);
      expect(await node.store.claim('dying later', 300)).toBe('mine');
      node.store.release('dying later');
    });

    it('that another has got meanwhile are not renewed', async () => {
      await using other = await startNode(server);
      expect(await node.store.claim('lost', 300)).toBe('mine');
      await server.command('SET', claimOf('lost'), 'of another', 'PX', 60_000);
      await pause(400);
      node.store.release('lost');
      expect(Number(await server.command('PTTL', claimOf('lost')))).toBeGreaterThan(50_000);
      expect(await other.store.claim('lost', 300)).toBe('theirs');
    });

    it('that could not be given back are, as soon as Redis can be reached again', async () => {
      await using own = await redisServer();
      await using one = await startNode(own, { commandTimeout: TIMEOUT });
      await using other = await startNode(own);
      expect(await one.store.claim('k', 60_000)).toBe('mine');
      own.freeze();
      one.store.release('k');
      await until(() => one.store.describe().state === 'away', 'the outage to be noticed');
      own.thaw();
      await until(() => one.isReady() && other.isReady(), 'both to be back', 15_000);
      await until(async () => (await other.store.claim('k', 1000)) === 'mine', 'the lease to be given back');
    });

    it('that Redis takes when nobody waits for its answer any more are given back', async () => {
      await using own = await redisServer();
      await using one = await startNode(own, { commandTimeout: TIMEOUT });
      await using other = await startNode(own);
      own.freeze();
      expect(await one.store.claim('k', 60_000)).toBe('away');
      own.thaw();
      await until(() => one.isReady() && other.isReady(), 'both to be back', 15_000);
      await until(async () => (await other.store.claim('k', 1000)) === 'mine', 'the lease to be given back');
    });

    it('whose end nobody heard of are looked at again', async () => {
      await using other = await startNode(server);
      expect(await node.store.claim('silent', 5000)).toBe('mine');
      const began = performance.now();
      const settled = other.store.settled('silent', 10_000);
      await until(
        async () => String(await server.command('PUBSUB', 'NUMSUB', claimOf('silent'))).endsWith('1'),
        'it to listen',
      );
      await server.command('DEL', claimOf('silent'));
      await settled;
      expect(performance.now() - began).toBeLessThan(4000);
      node.store.release('silent');
    });

    it('are waited for no longer than asked, by many at once', async () => {
      await using other = await startNode(server);
      expect(await node.store.claim('slow', 5000)).toBe('mine');
      const began = performance.now();
      await Promise.all(Array.from({ length: 20 }, () => other.store.settled('slow', 100)));
      expect(performance.now() - began).toBeGreaterThan(90);
      const all = Promise.all(Array.from({ length: 20 }, () => other.store.settled('slow', 5000)));
      node.store.release('slow');
      await all;
      expect(performance.now() - began).toBeLessThan(2000);
      await node.store.settled('never claimed', 5000);
    });
  });
});
