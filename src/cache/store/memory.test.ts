import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../entry.ts';
import { entryOf } from '../fixtures.ts';
import { MemoryStore } from './memory.ts';

const entry = (size: number, part: Partial<Entry> = {}): Entry =>
  entryOf({ body: Buffer.alloc(size), ...part });

const KIB = 1024;

describe('answers in memory', () => {
  it('gives back what was stored, and nothing for another key', () => {
    const store = new MemoryStore(100 * KIB);
    const one = entry(10, { headers: ['Content-Type', 'text/plain'], tags: ['order:1'], etag: '"one"' });
    store.put('a', one);
    expect(store.get('a')?.all).toEqual([expect.objectContaining(one)]);
    expect(store.get('b')).toBeUndefined();
  });

  it('keeps a variant for each value of what Vary names, and replaces the one that answers the same', () => {
    const store = new MemoryStore(100 * KIB);
    const plain = entry(1, { varyOn: ['accept-encoding'], varyValues: ['identity'] });
    const zipped = entry(1, { varyOn: ['accept-encoding'], varyValues: ['gzip'] });
    const newer = entry(2, { varyOn: ['accept-encoding'], varyValues: ['gzip'] });
    for (const one of [plain, zipped, newer]) store.put('a', one);
    expect(store.get('a')?.all).toMatchObject([plain, newer]);
  });

  it('keeps no more variants of a key than is good', () => {
    const store = new MemoryStore(1000 * KIB);
    for (let i = 0; i < 100; i++) store.put('a', entry(1, { varyOn: ['x'], varyValues: [String(i)] }));
    expect(store.get('a')!.all.length).toBe(32);
    expect(store.get('a')!.all.at(-1)!.varyValues).toEqual(['99']);
  });

  it('gives the entry that is kept, so that it can be discarded', () => {
    const store = new MemoryStore(100 * KIB);
    const kept = store.put('a', entry(1));
    expect(store.get('a')!.only).toBe(kept);
    store.discard('a', kept);
    expect(store.get('a')).toBeUndefined();
    const large = entry(200 * KIB);
    expect(store.put('a', large)).toBe(large);
  });

  it('swaps an entry for its successor, if it still stands', () => {
    const store = new MemoryStore(100 * KIB);
    store.put('a', entry(1));
    const [from] = store.get('a')!.all as [Entry];
    const kept = store.update('a', from, entry(1, { lifetime: 120 }));
    expect(kept.lifetime).toBe(120);
    expect(store.get('a')!.all).toEqual([kept]);
    const late = entry(1);
    expect(store.update('a', from, late)).toBe(late);
    expect(store.get('a')!.only).toBe(kept);
  });

  it('an answer larger than the whole store is not kept, and takes the older one of its key along', () => {
    const store = new MemoryStore(10 * KIB);
    store.put('a', entry(1));
    store.put('a', entry(11 * KIB));
    expect(store.get('a')).toBeUndefined();
    expect(store.counts()).toEqual({ entries: 0, bytes: 0, evictions: 0 });
  });

  it('what is asked for survives a scan over ten times the space', () => {
    const store = new MemoryStore(1500 * KIB);
    for (let i = 0; i < 300; i++) store.put(`hot:${i}`, entry(KIB));
    for (let round = 0; round < 3; round++) for (let i = 0; i < 300; i++) store.get(`hot:${i}`);
    for (let i = 0; i < 6000; i++) {
      store.put(`scan:${i}`, entry(KIB));
      store.get(`hot:${i % 300}`);
    }
    const left = Array.from({ length: 300 }, (_, i) => store.get(`hot:${i}`)).filter(
      (found) => found !== undefined,
    );
    expect(left.length).toBeGreaterThan(290);
  });

  it('one that comes back soon after it had to go is taken in for good', () => {
    const store = new MemoryStore(50 * KIB);
    for (let i = 0; i < 60; i++) store.put(`k:${i}`, entry(KIB));
    expect(store.get('k:0')).toBeUndefined();
    store.put('k:0', entry(KIB));
    for (let i = 100; i < 140; i++) store.put(`k:${i}`, entry(KIB));
    expect(store.get('k:0')).toBeDefined();
  });

  it('never takes more than its space, and counts what it holds, whatever is done', () => {
    const action = fc.record({
      act: fc.constantFrom('put', 'get', 'delete', 'discard'),
      key: fc.integer({ min: 0, max: 12 }),
      size: fc.integer({ min: 0, max: 4000 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const store = new MemoryStore(16 * KIB);
        for (const { act, key, size } of actions) {
          const name = `k:${key}`;
          if (act === 'put') store.put(name, entry(size, { varyOn: ['x'], varyValues: [String(size % 3)] }));
          else if (act === 'get') store.get(name);
          else if (act === 'delete') store.delete(name);
          else for (const one of store.get(name)?.all.slice(0, 1) ?? []) store.discard(name, one);
          const { bytes, entries } = store.counts();
          expect(bytes).toBeLessThanOrEqual(16 * KIB);
          let held = 0;
          for (let i = 0; i <= 12; i++) held += store.get(`k:${i}`)?.all.length ?? 0;
          expect(entries).toBe(held);
        }
        for (let i = 0; i <= 12; i++) store.delete(`k:${i}`);
        expect(store.counts()).toMatchObject({ bytes: 0, entries: 0 });
      }),
    );
  });
});
