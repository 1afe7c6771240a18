import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Linked, LinkedList } from './linked-list.ts';

class Item implements Linked {
  after: Linked | null = null;
  before: Linked | null = null;
}

it('holds what a Set holds, in its order, whatever comes and leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
      const items = Array.from({ length: 10 }, () => new Item());
      const list = new LinkedList<Item>();
      const set = new Set<Item>();
      for (const [comes, which] of steps) {
        const item = items[which]!;
        expect(list.has(item)).toBe(set.has(item));
        if (!comes) expect(list.remove(item)).toBe(set.delete(item));
        else if (!set.has(item)) {
          list.push(item);
          set.add(item);
        }
        expect([...list]).toEqual([...set]);
        expect(list.size).toBe(set.size);
        expect(list.first).toBe(set.values().next().value ?? null);
      }
    }),
  );
});

it('goes on where the item that it gives leaves', () => {
  const list = new LinkedList<Item>();
  const items = [new Item(), new Item(), new Item()];
  for (const item of items) list.push(item);
  const given: Item[] = [];
  for (const item of list) {
    given.push(item);
    list.remove(item);
  }
  expect(given).toEqual(items);
  expect(list.size).toBe(0);
});
