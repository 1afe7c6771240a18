import { expect, test } from 'vitest';
import { advisedTime, leastAge, nextAsk, usualTime } from './renewal.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const quarter = { from: 0, until: 90 * DAY };

test('a certificate is renewed with a third of its life left, or by chance a little earlier', () => {
  expect(usualTime(quarter, 0) / DAY).toBe(60);
  expect(usualTime(quarter, 1) / DAY).toBeCloseTo(58.2);
  expect(usualTime({ from: 0, until: 6 * DAY }, 0) / DAY).toBe(4);
});

test('an advised time is somewhere in the window (RFC 9773 §4.2)', () => {
  const window = { start: 10 * DAY, end: 12 * DAY };
  expect([0, 0.5, 1].map((chance) => advisedTime(window, quarter, chance) / DAY)).toEqual([10, 11, 12]);
});

test('advice to let it run out is not taken', () => {
  expect(advisedTime({ start: 89 * DAY, end: 99 * DAY }, quarter, 0.5) / DAY).toBe(75);
});

test('one that was just got is kept for a quarter of its life', () => {
  expect(leastAge(quarter) / DAY).toBe(22.5);
  expect(leastAge({ from: 1, until: 0 })).toBe(0);
});

test('advice is asked for as often as the authority says, from a minute to a day (RFC 9773 §4.3.2)', () => {
  const asked = (askAfter: number | null) => nextAsk({ window: null, askAfter });
  expect([asked(1), asked(30 * MINUTE), asked(10 * DAY), asked(null), nextAsk(null)]).toEqual([
    MINUTE,
    30 * MINUTE,
    DAY,
    360 * MINUTE,
    360 * MINUTE,
  ]);
});
