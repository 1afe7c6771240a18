import { expect, test } from 'vitest';
import { Tries } from './tries.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);

/** Fails at once whenever it may, for so long; gives the minutes at which it tried. */
function triesWithin(ms: number, again: (tries: Tries, wall: number) => Tries = (tries) => tries): number[] {
  const at: number[] = [];
  let tries = new Tries(null, START);
  for (let wall = START; wall < START + ms; wall += MINUTE) {
    tries = again(tries, wall);
    if (wall < tries.nextAt) continue;
    at.push((wall - START) / MINUTE);
    tries.failed(wall, null, 0);
  }
  return at;
}

test('pauses grow from minutes to an hour', () => {
  expect(triesWithin(5 * HOUR)).toEqual([0, 2, 12, 42, 102, 162, 222, 282]);
});

test('a gateway that is started again every minute tries no more than four times an hour', () => {
  const at = triesWithin(5 * HOUR, (tries, wall) => new Tries(tries.note(), wall));
  for (const from of at)
    expect(at.filter((one) => one >= from && one < from + 60).length).toBeLessThanOrEqual(4);
  expect(at.slice(0, 5)).toEqual([0, 1, 2, 3, 60]);
});

test('a start after a failure may try at once', () => {
  const tries = new Tries(null, START);
  tries.failed(START, null, 0);
  expect(tries.nextAt).toBe(START + 2 * MINUTE);
  expect(new Tries(tries.note(), START + 1).nextAt).toBeLessThanOrEqual(START + 1);
});

test('what the authority asks for holds over a start, within reason', () => {
  const tries = new Tries(null, START);
  tries.failed(START, 3 * HOUR, 0);
  expect(new Tries(tries.note(), START).nextAt).toBe(START + 3 * HOUR);
  tries.failed(START, 365 * 24 * HOUR, 0);
  expect(tries.nextAt).toBe(START + 8 * 24 * HOUR);
});

test('chance only makes a pause longer, by a tenth at most', () => {
  const tries = new Tries(null, START);
  tries.failed(START, null, 1);
  expect(tries.nextAt).toBe(START + 2 * MINUTE * 1.1);
});

test('a note that is damaged, or of a clock that was ahead, holds nobody up', () => {
  const ahead = JSON.stringify({ failedAt: [START + HOUR], restUntil: START + 365 * 24 * HOUR });
  for (const note of ['', '{', '[]', 'null', '{"failedAt":["x"],"restUntil":"y"}', ahead])
    expect(new Tries(note, START).nextAt).toBeLessThanOrEqual(START);
});
