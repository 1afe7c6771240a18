import { expect, it } from 'vitest';
import { Totals } from './totals.ts';

const counts = (...pairs: [string, number][]) => new Map(pairs);

it('what a worker has counted stays, though it is gone, silent, or begins anew', () => {
  const totals = new Totals();
  const [one, two] = [{}, {}];
  totals.heard(one, counts(['a', 5]));
  totals.heard(two, counts(['a', 3], ['b', 1]));
  expect([totals.of('a'), totals.of('b'), totals.of('c')]).toEqual([8, 1, 0]);
  // One says nothing any more, and another has taken its place.
  totals.heard({}, counts(['a', 2]));
  totals.heard(two, counts(['a', 4], ['b', 1]));
  expect([totals.of('a'), totals.of('b')]).toEqual([11, 1]);
  totals.heard(two, counts(['a', 1], ['b', 1]));
  expect([totals.of('a'), totals.of('b')]).toEqual([12, 1]);
});

it('what is gone for good is forgotten, and counted from nothing where it comes back', () => {
  const totals = new Totals();
  const worker = {};
  totals.heard(worker, counts(['a', 5], ['b', 1]));
  totals.heard(worker, counts(['b', 1]));
  totals.keep(new Set(['b']));
  expect([totals.of('a'), totals.of('b')]).toEqual([0, 1]);
  totals.heard(worker, counts(['a', 2], ['b', 1]));
  expect(totals.of('a')).toBe(2);
});
