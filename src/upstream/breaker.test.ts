import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { Breaker } from './breaker.ts';

/** Breakers of one service in so many workers, which hear of each other as those of a node do. */
function breakersOfNode(count: number, clock: ManualClock): Breaker[] {
  let untold = false;
  const all: Breaker[] = Array.from({ length: count }, (_, worker) => {
    const others = (hear: (breaker: Breaker) => void) => {
      if (untold) return;
      untold = true;
      for (const [i, breaker] of all.entries()) if (i !== worker) hear(breaker);
      untold = false;
    };
    return new Breaker({ errorRate: null, errors: { count: 3, window: 30_000 }, openFor: 10_000 }, clock, {
      changed: (state, why) => others((breaker) => breaker.follow(state, why)),
      failed: () => others((breaker) => breaker.recordElsewhere()),
    });
  });
  return all;
}

const states = (breakers: Breaker[]) => breakers.map(({ state }) => state);

test('errors of all workers count together, and what they open is open for each', () => {
  const breakers = breakersOfNode(3, new ManualClock());
  breakers[0]!.record(true);
  breakers[1]!.record(true);
  expect(states(breakers)).toEqual(['closed', 'closed', 'closed']);
  breakers[2]!.record(true);
  expect(states(breakers)).toEqual(['open', 'open', 'open']);
  expect(breakers.map((breaker) => breaker.admit())).toEqual([10_000, 10_000, 10_000]);
});

test.each([
  [false, 'closed'],
  [true, 'open'],
] as const)('one request of the node may try: failed %s leaves it %s for all', (failed, state) => {
  const clock = new ManualClock();
  const breakers = breakersOfNode(2, clock);
  for (let i = 0; i < 3; i++) breakers[0]!.record(true);
  clock.advance(10_000);
  expect(breakers[1]!.admit()).toBe(0);
  expect(breakers[0]!.admit()).toBe(10_000);
  breakers[1]!.record(failed);
  expect(states(breakers)).toEqual([state, state]);
});

test('where the outcome of a probe never comes, another worker tries after the same time', () => {
  const clock = new ManualClock();
  const breakers = breakersOfNode(2, clock);
  for (let i = 0; i < 3; i++) breakers[0]!.record(true);
  clock.advance(10_000);
  expect(breakers[1]!.admit()).toBe(0);
  clock.advance(10_000);
  expect(breakers[0]!.admit()).toBe(0);
});

test('what is learned late is taken over with the time that has gone by', () => {
  const clock = new ManualClock();
  const [opened, probing] = breakersOfNode(1, clock).concat(breakersOfNode(1, clock)) as [Breaker, Breaker];
  opened.follow('open', 'another worker says so', 4000);
  expect(opened.admit()).toBe(6000);
  clock.advance(6000);
  expect([opened.admit(), opened.state]).toEqual([0, 'half-open']);
  probing.follow('half-open', 'another worker says so', 4000);
  expect(probing.admit()).toBe(6000);
  clock.advance(6000);
  expect([probing.admit(), probing.state]).toEqual([0, 'half-open']);
});

test('what was let ahead before the breaker opened is no probe, however it ends', () => {
  const clock = new ManualClock();
  const breakers = breakersOfNode(2, clock);
  const before = breakers.map(({ turn }) => turn);
  for (let i = 0; i < 3; i++) breakers[0]!.record(true, before[0]);
  clock.advance(10_000);
  expect(breakers[0]!.admit()).toBe(0);
  const probe = breakers[0]!.turn;
  for (const [i, breaker] of breakers.entries()) {
    breaker.record(true, before[i]);
    breaker.record(false, before[i]);
    breaker.withdraw(before[i]);
  }
  expect(states(breakers)).toEqual(['half-open', 'half-open']);
  expect(breakers.map((breaker) => breaker.admit())).toEqual([10_000, 10_000]);
  breakers[0]!.record(false, probe);
  expect(states(breakers)).toEqual(['closed', 'closed']);
  // Nor is it held against a service that has come back.
  for (let i = 0; i < 3; i++) breakers[1]!.record(true, before[1]);
  expect(states(breakers)).toEqual(['closed', 'closed']);
});

test('where errors count in a row, a success starts the count anew', () => {
  const errors = { count: 3, window: 30_000, inARow: true };
  const untold = { changed: () => {}, failed: () => {} };
  const breaker = new Breaker({ errorRate: null, errors, openFor: 10_000 }, new ManualClock(), untold);
  for (const failed of [true, true, false, true, true]) breaker.record(failed);
  expect(breaker.state).toBe('closed');
  breaker.record(true);
  expect(breaker.state).toBe('open');
});

test('a probe that is late says nothing of the one that was sent in its place', () => {
  const clock = new ManualClock();
  const [breaker] = breakersOfNode(1, clock) as [Breaker];
  for (let i = 0; i < 3; i++) breaker.record(true);
  clock.advance(10_000);
  breaker.admit();
  const late = breaker.turn;
  clock.advance(10_000);
  expect(breaker.admit()).toBe(0);
  breaker.record(true, late);
  expect(breaker.state).toBe('half-open');
  breaker.record(false, breaker.turn);
  expect(breaker.state).toBe('closed');
});
