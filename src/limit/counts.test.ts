import { expect, test } from 'vitest';
import { Counts, KeyBudget, MOST_IN_ALL, MOST_KEYS } from './counts.ts';

test('a key has a place of its own while there is room', () => {
  const counts = new Counts(new KeyBudget());
  expect(counts.placeOf('a', 0)).toBe('a');
  counts.set('a', 10);
  expect(counts.get('a')).toBe(10);
  expect(counts.get('b')).toBe(0);
});

test('a flood of new keys shares one place, and the known ones keep theirs', () => {
  const counts = new Counts(new KeyBudget());
  for (let i = 0; i < MOST_KEYS; i++) counts.set(counts.placeOf(`k${i}`, 0), 1000);
  const places = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const place = counts.placeOf(`new${i}`, 0);
    places.add(place);
    counts.set(place, 1000);
  }
  expect(places.size).toBe(1);
  expect(counts.placeOf('k7', 0)).toBe('k7');
  expect(counts.size).toBeLessThanOrEqual(MOST_KEYS + 1);
});

test('idle keys make room for new ones', () => {
  const counts = new Counts(new KeyBudget());
  for (let i = 0; i < MOST_KEYS; i++) counts.set(counts.placeOf(`k${i}`, 0), 1000);
  for (let i = 0; i < MOST_KEYS / 2; i++) {
    const key = `new${i}`;
    expect(counts.placeOf(key, 2000)).toBe(key);
    counts.set(key, 3000);
  }
  expect(counts.size).toBeLessThanOrEqual(MOST_KEYS);
});

test('many limits that are flooded keep no more than they may together, and idle keys of one make room for another', () => {
  const budget = new KeyBudget();
  const all = Array.from({ length: 20 }, () => new Counts(budget));
  budget.share(all);
  for (const counts of all) for (let i = 0; i < 30_000; i++) counts.set(counts.placeOf(`k${i}`, 0), 1000);
  const kept = () => all.reduce((sum, { size }) => sum + size, 0);
  expect(kept()).toBeLessThanOrEqual(MOST_IN_ALL + all.length);
  const last = all.at(-1)!;
  const free = Array.from({ length: 1000 }, (_, i) => {
    const place = last.placeOf(`new${i}`, 2000);
    last.set(place, 3000);
    return place;
  });
  expect(new Set(free).size).toBeGreaterThan(900);
  expect(kept()).toBeLessThanOrEqual(MOST_IN_ALL + all.length);
});
