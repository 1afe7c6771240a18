import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { inTime } from './in-time.ts';

const NEVER = new Promise<never>(() => {});

test('work that ends in time gives what it gives, or fails as it fails, and leaves no timer', async () => {
  const clock = new ManualClock();
  expect(await inTime(clock, 100, Promise.resolve(7), () => null)).toBe(7);
  await expect(inTime(clock, 100, Promise.reject(new Error('broken')), () => null)).rejects.toThrow('broken');
  expect(clock.pending).toBe(0);
});

test('what takes longer is answered for by `late`, which may throw', async () => {
  const clock = new ManualClock();
  const given = inTime(clock, 100, NEVER, () => null);
  clock.advance(99);
  expect(await Promise.race([given, Promise.resolve('not yet')])).toBe('not yet');
  clock.advance(1);
  expect(await given).toBeNull();
  const failed = inTime(clock, 100, NEVER, () => {
    throw new Error('late');
  });
  clock.advance(100);
  await expect(failed).rejects.toThrow('late');
  expect(clock.pending).toBe(0);
});

test('work that fails after its time is nobody’s trouble any more', async () => {
  const clock = new ManualClock();
  let fail!: (error: Error) => void;
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const given = inTime(clock, 100, work, () => 'late');
  clock.advance(100);
  expect(await given).toBe('late');
  fail(new Error('unhandled'));
  await new Promise((resolve) => setImmediate(resolve));
});
