import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('the wall clock is the system’s, at the moment of `now()` that is named', () => {
  const before = Date.now();
  const now = systemClock.now();
  const wall = systemClock.wallAt(now);
  expect(Math.abs(wall - before)).toBeLessThan(1000);
  expect(Number.isInteger(wall)).toBe(true);
  expect(Math.abs(systemClock.wallAt(now + 500) - wall - 500)).toBeLessThanOrEqual(2);
});
