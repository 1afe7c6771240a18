import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationError, formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(durationError(text)).toBeNull();
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    ['10', 'say "10s" for seconds or "10ms" for milliseconds'],
    ['10 s', 'write "10s"'],
    ['10sec', 'write "10s"'],
    ['5 minutes', 'write "5m"'],
    ['2w', 'write "14d"'],
    ['1h30m', 'write one number with one unit: 90m for 1h30m'],
    ['-1s', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['99999999999999999', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['99999999999999999s', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['4000d', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['s', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
    ['1e3s', 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d'],
  ])('"%s" is refused, and told how to write it', (text, advice) => {
    expect(durationError(text)?.advice).toBe(advice);
  });

  test('what is formatted is parsed to the same', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 30),
        (milliseconds) => parseDuration(formatDuration(milliseconds)) === milliseconds,
      ),
    );
  });

  test('a text is either parsed or refused with a reason', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789.msdh -w') });
    fc.assert(
      fc.property(text, (given) => {
        if (durationError(given) === null) return Number.isSafeInteger(parseDuration(given));
        return durationError(given)!.message !== '';
      }),
    );
  });
});
