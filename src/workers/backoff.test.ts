import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('the first four deaths in ten seconds are replaced at once, then ever later, up to 30 s', () => {
  const backoff = new Backoff();
  let now = 0;
  const waits: number[] = [];
  for (let death = 0; death < 12; death++) {
    const wait = backoff.wait(now);
    waits.push(wait);
    now += wait + 100;
  }
  expect(waits).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('deaths that are far apart are always replaced at once', () => {
  const backoff = new Backoff();
  for (let death = 0; death < 20; death++) expect(backoff.wait(death * 2600)).toBe(0);
});

test('after a quiet time it starts over', () => {
  const backoff = new Backoff();
  for (let death = 0; death < 6; death++) backoff.wait(0);
  expect(backoff.wait(13_000)).toBe(0);
  expect(backoff.wait(20_000)).toBe(0);
});
