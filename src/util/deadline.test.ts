import { expect, it } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { Deadline } from './deadline.ts';

function setUp() {
  const clock = new ManualClock();
  let fired = 0;
  const deadline = new Deadline(clock, () => fired++);
  const in_ = (ms: number) => deadline.set(clock.now() + ms);
  return { clock, deadline, in: in_, fired: () => fired };
}

it('fires once, at its time', () => {
  const { clock, in: set, fired } = setUp();
  set(100);
  clock.advance(99);
  expect(fired()).toBe(0);
  clock.advance(2);
  clock.advance(1000);
  expect(fired()).toBe(1);
});

it('a deadline that is pushed on fires at the last time set, not at the first', () => {
  const { clock, in: set, fired } = setUp();
  set(100);
  clock.advance(90);
  set(100);
  clock.advance(90);
  expect(fired()).toBe(0);
  clock.advance(20);
  expect(fired()).toBe(1);
});

it('a deadline that comes nearer is kept', () => {
  const { clock, in: set, fired } = setUp();
  set(10_000);
  set(50);
  clock.advance(51);
  expect(fired()).toBe(1);
});

it('cleared or closed it never fires, and a cleared one can be set again', () => {
  const { clock, deadline, in: set, fired } = setUp();
  set(100);
  deadline.clear();
  clock.advance(1000);
  expect(fired()).toBe(0);
  set(100);
  clock.advance(101);
  expect(fired()).toBe(1);
  set(100);
  deadline.close();
  clock.advance(1000);
  expect(fired()).toBe(1);
});
