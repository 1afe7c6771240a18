import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../util/random.ts';
import { isRequestId, isTraceparent, newTraceparent } from './trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('a traceparent (W3C Trace Context §3.2)', () => {
  test.each([
    ['version 00', `00-${TRACE}-${PARENT}-01`],
    ['flags that are not known', `00-${TRACE}-${PARENT}-ff`],
    ['a later version of the same length', `01-${TRACE}-${PARENT}-01`],
    ['a later version that goes on after a dash', `cc-${TRACE}-${PARENT}-01-what-the-future-brings`],
    ['a later version that ends in a dash', `cc-${TRACE}-${PARENT}-01-`],
    ['a version with letters', `fe-${TRACE}-${PARENT}-00`],
  ])('is valid: %s', (_why, value) => {
    expect(isTraceparent(value)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['version 00 that goes on', `00-${TRACE}-${PARENT}-01-more`],
    ['version 00 with one more character', `00-${TRACE}-${PARENT}-011`],
    ['a later version that goes on without a dash', `01-${TRACE}-${PARENT}-01.more`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals in the version', `0A-${TRACE}-${PARENT}-01`],
    ['capitals in the trace id', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['capitals in the parent id', `00-${TRACE}-${PARENT.toUpperCase()}-01`],
    ['capitals in the flags', `00-${TRACE}-${PARENT}-0A`],
    ['a letter beyond f', `00-${'g'.repeat(32)}-${PARENT}-01`],
    ['flags of one character', `00-${TRACE}-${PARENT}-1`],
    ['a trace id that is short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['underscores for dashes', `00_${TRACE}_${PARENT}_01`],
    ['white space before', ` 00-${TRACE}-${PARENT}-01`],
    ['two in one', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['characters next to the digits', `00-${TRACE.slice(1)}:-${PARENT}-01`],
  ])('is invalid: %s', (_why, value) => {
    expect(isTraceparent(value)).toBe(false);
  });

  test('is judged as the pattern of the recommendation judges', () => {
    const oracle = (value: string) =>
      /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.test(value) &&
      (!value.startsWith('00') || value.length === 55);
    const valid = `00-${TRACE}-${PARENT}-01`;
    fc.assert(
      fc.property(fc.nat(60), fc.string({ maxLength: 3 }), fc.nat(3), (at, text, cut) => {
        const value = valid.slice(0, at) + text + valid.slice(at + cut);
        expect(isTraceparent(value)).toBe(oracle(value));
      }),
    );
  });

  test('made anew is valid, and never twice the same', () => {
    const made = new Set(Array.from({ length: 100 }, () => newTraceparent(systemRandom)));
    expect(made.size).toBe(100);
    for (const value of made) expect(isTraceparent(value)).toBe(true);
    expect(newTraceparent(systemRandom)).toMatch(/-00$/);
    expect(newTraceparent(systemRandom, true)).toMatch(/-01$/);
  });
});

describe('a request id is kept', () => {
  test.each(['a', '!~', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 'x'.repeat(128)])('%s', (id) => {
    expect(isRequestId(id)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['129 characters', 'x'.repeat(129)],
    ['a space', 'a b'],
    ['a tab', 'a\tb'],
    ['CR and LF', 'a\r\nb'],
    ['NUL', '\0'],
    ['DEL', '\x7f'],
    ['a byte above 0x7e', '\xe9'],
  ])('not: %s', (_why, id) => {
    expect(isRequestId(id)).toBe(false);
  });
});
