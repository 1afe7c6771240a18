import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/cache/entry.ts';
import { MemoryStore } from '../../src/cache/store/index.ts';
import { noRedis, type RedisServer, redisServer, until } from '../../src/testkit/index.ts';
import { entryOf, type Node, startNode, urlOf } from './redis/stage.ts';

/** What both levels of the cache promise alike. */
interface Subject {
  /** Resolves once it can be read. */
  put(key: string, entry: Entry): Promise<void>;
  variants(key: string): Promise<readonly Entry[]>;
  delete(key: string): Promise<void>;
  sequence(): number;
}

function contract(subject: () => Subject): void {
  const variant = (values: (string | undefined)[], body: string) =>
    entryOf({
      sequence: subject().sequence(),
      varyOn: ['accept', 'x-a'].slice(0, values.length),
      varyValues: values,
      body: Buffer.from(body),
    });
  const bodies = async (key: string) =>
    (await subject().variants(key)).map(({ body }) => String(body)).sort();

  it('an entry comes back as it was stored', async () => {
    const entry = { ...variant(['text/html', undefined], 'whole'), url: urlOf('same') };
    await subject().put('same', entry);
    expect(await subject().variants('same')).toMatchObject([entry]);
  });

  it('a key has nothing of another one', async () => {
    await subject().put('one', variant([], '1'));
    await subject().put('one ', variant([], '2'));
    expect([await bodies('one'), await bodies('one '), await bodies('on')]).toEqual([['1'], ['2'], []]);
  });

  it('an entry takes the place of the variant that answers the same requests alone', async () => {
    const { put } = subject();
    await put('vary', variant(['a', undefined], 'a'));
    await put('vary', variant(['b', undefined], 'b'));
    await put('vary', variant(['a', ''], 'a and empty'));
    await put('vary', variant(['a'], 'a by accept alone'));
    await put('vary', variant(['a', undefined], 'a again'));
    expect(await bodies('vary')).toEqual(['a again', 'a and empty', 'a by accept alone', 'b']);
  });

  it('a key has no more than 32 variants, and the oldest go first', async () => {
    for (let i = 0; i < 40; i++) await subject().put('many', variant([`v${i}`], String(i)));
    const kept = (await bodies('many')).map(Number).sort((a, b) => a - b);
    expect(kept).toEqual(Array.from({ length: 32 }, (_, i) => i + 8));
  });

  it('what is deleted is gone with all its variants', async () => {
    await subject().put('gone', variant(['a'], 'a'));
    await subject().put('gone', variant(['b'], 'b'));
    await subject().delete('gone');
    expect(await bodies('gone')).toEqual([]);
    await subject().put('gone', variant(['c'], 'c'));
    expect(await bodies('gone')).toEqual(['c']);
  });
}

describe('the store in memory', () => {
  const store = new MemoryStore(16 * 1024 * 1024);
  contract(() => ({
    put: async (key, entry) => void store.put(key, entry),
    variants: async (key) => store.get(key)?.all ?? [],
    delete: async (key) => store.delete(key),
    sequence: () => 0,
  }));
});

describe.skipIf(noRedis())('the store in Redis', () => {
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

  async function variants(key: string): Promise<Entry[]> {
    let count = 0;
    await node.store.get(key, ({ length }) => {
      count = length;
      return -1;
    });
    const entries = await Promise.all(Array.from({ length: count }, (_, i) => node.store.get(key, () => i)));
    return entries.filter((entry) => entry !== null);
  }

  contract(() => ({
    async put(key, entry) {
      node.store.put(key, entry, urlOf(key));
      await until(
        async () => (await variants(key)).some(({ body }) => body.equals(entry.body)),
        `${key} to be stored`,
      );
    },
    variants,
    async delete(key) {
      node.store.delete(key);
      await until(async () => (await variants(key)).length === 0, `${key} to be gone`);
    },
    sequence: () => node.fences.sequence,
  }));
});
