import { describe, expect, it } from 'vitest';
import { RecentKeys } from './recent-keys.ts';

describe('what is known of recent keys', () => {
  it('is known for one generation at least, and two at most', () => {
    const keys = new RecentKeys<number>(10);
    keys.set('first', 1);
    for (let i = 0; i < 9; i++) keys.set(`a${i}`, i);
    expect(keys.get('first')).toBe(1);
    for (let i = 0; i < 9; i++) keys.set(`b${i}`, i);
    expect(keys.get('first')).toBe(1);
    keys.set('last', 2);
    expect(keys.get('first')).toBeUndefined();
    expect(keys.get('last')).toBe(2);
  });

  it('is what was said of a key last, whatever its older generation says', () => {
    const keys = new RecentKeys<number>(2);
    keys.set('a', 1);
    keys.set('b', 1);
    keys.set('a', 2);
    expect(keys.get('a')).toBe(2);
    expect(keys.delete('a')).toBe(true);
    expect(keys.get('a')).toBeUndefined();
    expect(keys.delete('a')).toBe(false);
  });

  it('tells of those that it forgets, once', () => {
    const forgotten: string[] = [];
    const keys = new RecentKeys<number>(2, (gone) => forgotten.push(...gone.keys()));
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) keys.set(key, 0);
    expect(forgotten).toEqual(['a', 'b', 'c', 'd']);
  });

  it('a key of any length takes little room, and is told from others as long', () => {
    const forgotten: string[] = [];
    const keys = new RecentKeys<number>(1, (gone) => forgotten.push(...gone.keys()));
    const long = 'x'.repeat(100_000);
    keys.set(`${long}a`, 1);
    expect(keys.get(`${long}a`)).toBe(1);
    expect(keys.get(`${long}b`)).toBeUndefined();
    keys.set('next', 1);
    expect(forgotten[0]!.length).toBeLessThan(100);
  });

  it('is empty until something is known', () => {
    const keys = new RecentKeys<number>(1);
    expect(keys.empty).toBe(true);
    keys.set('a', 1);
    expect(keys.empty).toBe(false);
  });
});
