import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { Deadlines } from './deadlines.ts';

describe('deadlines of calls that may all last equally long', () => {
  function call(clock: ManualClock, deadlines: Deadlines) {
    const one = {
      since: clock.now(),
      settled: false,
      expiredAt: 0,
      expire() {
        one.expiredAt = clock.now();
      },
    };
    deadlines.add(one);
    return one;
  }

  it('end each call at its own time, with one timer for all', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const begun = clock.now();
    const calls = [0, 30, 60].map((at) => {
      clock.advance(begun + at - clock.now());
      return call(clock, deadlines);
    });
    expect(clock.pending).toBe(1);
    clock.advance(1000);
    expect(calls.map(({ expiredAt }) => expiredAt - begun)).toEqual([100, 130, 160]);
    expect(clock.pending).toBe(0);
  });

  it('leave calls alone that ended in time, and keep none of them', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const calls = Array.from({ length: 50_000 }, () => {
      const one = call(clock, deadlines);
      one.settled = true;
      return one;
    });
    expect((deadlines as unknown as { queue: unknown[] }).queue.length).toBeLessThan(3000);
    const last = call(clock, deadlines);
    clock.advance(100);
    expect(last.expiredAt).toBe(clock.now());
    expect(calls.every(({ expiredAt }) => expiredAt === 0)).toBe(true);
  });

  it('end whatever waits when their owner ends, and leave no timer', () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock, 100);
    const waiting = call(clock, deadlines);
    deadlines.close();
    expect(waiting.expiredAt).toBe(clock.now());
    expect(clock.pending).toBe(0);
  });
});
