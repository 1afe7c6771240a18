import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import type { Pool } from './pool/index.ts';
import { TargetState } from './target.ts';

const PASSIVE = { errors: 2, openFor: 10_000 };

/** One target as so many workers of a node know it: each hears what another finds out. */
function targetOfNode(count: number, clock: ManualClock): TargetState[] {
  const all: TargetState[] = Array.from({ length: count }, () => {
    const target = new TargetState({ name: 'http://shop', settings: '' }, {} as Pool, clock, {
      out: (_, why, forMs) => {
        // The supervisor tells all, whoever told it.
        for (const worker of all) worker.eject(forMs!, why);
      },
      in: () => {},
    });
    target.configure({ passive: PASSIVE, active: null, panic: 0.5 });
    return target;
  });
  return all;
}

test('a target stays out for twice as long each time, whichever worker of the node finds it out', () => {
  const clock = new ManualClock();
  const workers = targetOfNode(3, clock);
  const outFor = () => workers.map((target) => Math.round(target.outFor / 1000));
  workers[0]!.failed('refused');
  workers[0]!.failed('refused');
  for (const [i, seconds] of [10, 20, 40, 80].entries()) {
    expect(outFor()).toEqual([seconds, seconds, seconds]);
    clock.advance(seconds * 1000);
    expect(outFor()).toEqual([0, 0, 0]);
    workers[(i + 1) % 3]!.failed('refused');
  }
});

test('a target is warm once its time is over, though nobody asked for its share meanwhile', () => {
  const clock = new ManualClock();
  const [target] = targetOfNode(1, clock) as [TargetState];
  target.failed('refused');
  target.failed('refused');
  clock.advance(10_000);
  expect([target.health, target.settled]).toEqual(['warming', false]);
  clock.advance(10_000);
  expect([target.health, target.settled]).toEqual(['up', true]);
  // It is well: the next time it stays out as long as the first.
  target.succeeded();
  target.failed('refused');
  target.failed('refused');
  expect(target.outFor).toBe(10_000);
});

test('a worker whose config has no passive health takes none over from the others', () => {
  const [target] = targetOfNode(1, new ManualClock());
  target!.configure({ passive: null, active: null, panic: 0.5 });
  target!.eject(10_000, 'another worker says so');
  expect(target!.isIn).toBe(true);
});
