import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Indexed, KeyIndex } from './key-index.ts';

class Item implements Indexed<Item> {
  hash = 0;
  below: Item | null = null;
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}

describe('an index of items by key', () => {
  it('finds what a Map finds, whatever was added and removed', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(300)), { maxLength: 2000 });
    fc.assert(
      fc.property(steps, (all) => {
        const index = new KeyIndex<Item>();
        const map = new Map<string, Item>();
        for (const [adds, number] of all) {
          const key = `key ${number}`;
          const standing = map.get(key);
          expect(index.get(key)).toBe(standing);
          if (adds && standing === undefined) {
            const item = new Item(key);
            index.add(item);
            map.set(key, item);
          } else if (!adds && standing !== undefined) {
            index.remove(standing);
            map.delete(key);
          }
        }
        expect(index.size).toBe(map.size);
        expect(new Set(index)).toEqual(new Set(map.values()));
      }),
      { numRuns: 50 },
    );
  });

  it('finds each of very many, and few others in the place of each', () => {
    const index = new KeyIndex<Item>();
    const items = Array.from({ length: 50_000 }, (_, i) => new Item(`http://shop.example/products/${i}`));
    for (const item of items) index.add(item);
    expect(items.every((item) => index.get(item.key) === item)).toBe(true);
    expect(index.get('http://shop.example/products/50000')).toBeUndefined();
    let longest = 0;
    for (const first of items) {
      let length = 0;
      for (let item: Item | null = first; item !== null; item = item.below) length++;
      longest = Math.max(longest, length);
    }
    expect(longest).toBeLessThan(12);
  });

  it('an item can be removed from the top, the middle and the end of a bucket', () => {
    const index = new KeyIndex<Item>();
    const items = Array.from({ length: 1000 }, (_, i) => new Item(String(i)));
    for (const item of items) index.add(item);
    const second = items.find(({ below }) => below?.below != null)!;
    const [middle, last] = [second.below!, second.below!.below!];
    for (const gone of [middle, last, second]) {
      index.remove(gone);
      expect(index.get(gone.key)).toBeUndefined();
    }
    expect(index.size).toBe(997);
    expect([...index]).toHaveLength(997);
  });
});
