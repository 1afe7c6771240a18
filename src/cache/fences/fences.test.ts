import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fences, type Invalidation, urlTag } from './fences.ts';
import { slotOf, TagRecord } from './tag-record.ts';

const of = (part: Partial<Invalidation>): Invalidation => ({
  tags: [],
  prefixes: [],
  all: false,
  soft: false,
  ...part,
});
const entry = (sequence: number, tags: string[] = [], url = 'http://shop.test/a') => ({
  sequence,
  tags,
  url,
});

describe('fences', () => {
  it('an entry whose fill began before a change of its tag is dead, one that began after it is alive', () => {
    const fences = new Fences();
    const before = entry(fences.sequence, ['order:1']);
    fences.apply(1, of({ tags: ['order:1'] }));
    const after = entry(fences.sequence, ['order:1']);
    expect([fences.isDead(before), fences.isDead(after)]).toEqual([true, false]);
  });

  it('a change of one tag leaves entries of others alone', () => {
    const fences = new Fences();
    fences.apply(1, of({ tags: ['order:1'] }));
    expect(fences.isDead(entry(0, ['order:2']))).toBe(false);
    expect(fences.isDead(entry(0))).toBe(false);
  });

  it('any one tag of many is enough', () => {
    const fences = new Fences();
    fences.apply(5, of({ tags: ['b'] }));
    expect(fences.isDead(entry(4, ['a', 'b', 'c']))).toBe(true);
    expect(fences.isDead(entry(5, ['a', 'b', 'c']))).toBe(false);
  });

  it('a purge of a URL reaches that URL alone; of a prefix all that begin so', () => {
    const fences = new Fences();
    fences.apply(1, of({ tags: [urlTag('http://shop.test/a')] }));
    expect(fences.isDead(entry(0))).toBe(true);
    expect(fences.isDead(entry(0, [], 'http://shop.test/ab'))).toBe(false);
    fences.apply(2, of({ prefixes: ['http://shop.test/x/'] }));
    expect(fences.isDead(entry(1, [], 'http://shop.test/x/1'))).toBe(true);
    expect(fences.isDead(entry(2, [], 'http://shop.test/x/1'))).toBe(false);
  });

  it('a purge of all, or a raised floor, reaches everything older', () => {
    const fences = new Fences();
    fences.apply(3, of({ all: true }));
    expect([fences.isDead(entry(2)), fences.isDead(entry(3))]).toEqual([true, false]);
    fences.raiseFloor(9);
    expect([fences.isDead(entry(8)), fences.isDead(entry(9)), fences.sequence]).toEqual([true, false, 9]);
  });

  it('a soft purge makes stale, not dead', () => {
    const fences = new Fences();
    fences.apply(1, of({ tags: ['a'], soft: true }));
    expect([
      fences.isDead(entry(0, ['a'])),
      fences.isStale(entry(0, ['a'])),
      fences.isStale(entry(1, ['a'])),
    ]).toEqual([false, true, false]);
  });

  it('a number that comes late kills what is older than it, and lowers no fence', () => {
    const fences = new Fences();
    fences.apply(5, of({ tags: ['a'], prefixes: ['http://p/'] }));
    fences.apply(3, of({ tags: ['a', 'b'], prefixes: ['http://p/'] }));
    expect(fences.isDead(entry(4, ['a']))).toBe(true);
    expect(fences.isDead(entry(4, [], 'http://p/1'))).toBe(true);
    expect([fences.isDead(entry(2, ['b'])), fences.isDead(entry(3, ['b']))]).toEqual([true, false]);
    expect(fences.sequence).toBe(5);
  });

  it('more prefixes than are kept raise the floor instead of being forgotten', () => {
    const fences = new Fences();
    for (let i = 1; i <= 1200; i++) fences.apply(i, of({ prefixes: [`http://shop.test/${i}/`] }));
    expect(fences.floor).toBe(200);
    expect(fences.isDead(entry(199, [], 'http://shop.test/1/x'))).toBe(true);
    expect(fences.isDead(entry(300, [], 'http://shop.test/1/x'))).toBe(false);
  });
});

describe('the record of tags', () => {
  it('never tells less than the truth, however many tags there are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), (changes) => {
        const record = new TagRecord(8);
        const truth = new Map<string, number>();
        changes.forEach((n, i) => {
          record.set(`t:${n}`, i + 1);
          truth.set(`t:${n}`, i + 1);
        });
        for (const [tag, number] of truth) expect(record.get(tag)).toBeGreaterThanOrEqual(number);
      }),
    );
  });

  it('keeps a million tags within bounds, and nearly all other tags free of blame', () => {
    const record = new TagRecord();
    for (let i = 0; i < 300_000; i++) record.set(`order:${i}`, i + 1);
    let blamed = 0;
    for (let i = 0; i < 10_000; i++) if (record.get(`other:${i}`) > 0) blamed++;
    expect(blamed).toBeLessThan(3500);
  });

  it('spreads tags that differ in their last digits', () => {
    const slots = new Set(Array.from({ length: 10_000 }, (_, i) => slotOf(`order:${i}`)));
    expect(slots.size).toBeGreaterThan(9_900);
  });
});
