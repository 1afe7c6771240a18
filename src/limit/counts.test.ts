import { expect, test } from 'vitest';
import { Counts, MOST_KEYS } from './counts.ts';

test('a key has a place of its own while there is room', () => {
  const counts = new Counts();
  expect(counts.placeOf('a', 0)).toBe('a');
  counts.set('a', 10);
  expect(counts.get('a')).toBe(10);
  expect(counts.get('b')).toBe(0);
});

test('a flood of new keys shares one place, and the known ones keep theirs', () => {
  const counts = new Counts();
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
  const counts = new Counts();
  for (let i = 0; i < MOST_KEYS; i++) counts.set(counts.placeOf(`k${i}`, 0), 1000);
  for (let i = 0; i < MOST_KEYS / 2; i++) {
    const key = `new${i}`;
    expect(counts.placeOf(key, 2000)).toBe(key);
    counts.set(key, 3000);
  }
  expect(counts.size).toBeLessThanOrEqual(MOST_KEYS);
});
