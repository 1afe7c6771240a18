import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { KeyBudget } from './counts.ts';
import type { Verdict } from './gcra.ts';
import { LimitCounts } from './limit-counts.ts';

const workers = (count: number, clock: ManualClock) =>
  Array.from({ length: count }, () => new LimitCounts('a', clock, count, new KeyBudget(), () => null));

test.each([1, 2, 3, 7])(
  '%i workers of a node share a limit out evenly: together they admit what it says',
  (count) => {
    const clock = new ManualClock(0);
    const all = workers(count, clock);
    const hundred = { count: 100, per: 1000, burst: 100 };
    let admitted = 0;
    for (let ms = 0; ms < 30_000; ms++) {
      for (const one of all) if ((one.take('k', hundred) as Verdict).allowed) admitted++;
      clock.advance(1);
    }
    expect(admitted).toBeGreaterThanOrEqual(3000 + 100 - count - 1);
    expect(admitted).toBeLessThanOrEqual(3000 + 100 + count);
  },
);

test.each(['3/s', '7/s', '1000/s', '999/m', '7/d'])('no rounding adds up over a day at %s', (rate) => {
  const clock = new ManualClock(0);
  const [one] = workers(1, clock);
  const [count, unit] = rate.split('/') as [string, string];
  const per = { s: 1000, m: 60_000, d: 86_400_000 }[unit]!;
  const allowance = { count: Number(count), per, burst: 1 };
  const interval = per / allowance.count;
  const steps = Math.min(100_000, Math.floor(86_400_000 / interval));
  for (let i = 0; i < steps; i++) {
    expect((one!.take('k', allowance) as Verdict).allowed).toBe(true);
    clock.advance(interval);
  }
});
