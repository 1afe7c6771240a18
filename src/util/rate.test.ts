import { describe, expect, test } from 'vitest';
import { byteRateError, parseByteRate, parseRate, rateError } from './rate.ts';

describe('rates', () => {
  test.each([
    ['100/s', { count: 100, per: 1_000 }],
    ['5/15m', { count: 5, per: 900_000 }],
    ['1000/h', { count: 1_000, per: 3_600_000 }],
    ['1/7d', { count: 1, per: 604_800_000 }],
  ])('%s', (text, rate) => {
    expect(rateError(text)).toBeNull();
    expect(parseRate(text)).toEqual(rate);
  });

  test.each([
    ['100', 'say "100/s" or "100/m"'],
    ['0/s', 'write a count, a slash and a time: 100/s, 5/15m, 1000/h'],
    ['5/0m', 'write a count, a slash and a time: 100/s, 5/15m, 1000/h'],
    ['5/sec', 'write a count, a slash and a time: 100/s, 5/15m, 1000/h'],
    ['-5/s', 'write a count, a slash and a time: 100/s, 5/15m, 1000/h'],
  ])('"%s" is refused, and told how to write it', (text, advice) => {
    expect(rateError(text)?.advice).toBe(advice);
  });

  test('bytes a second', () => {
    expect(parseByteRate('1KiB/s')).toBe(1024);
    expect(byteRateError('1KiB/s')).toBeNull();
    expect(byteRateError('1KiB')?.advice).toBe('say "1KiB/s"');
    expect(byteRateError('1/s')?.message).toBe('"1" has no unit');
  });
});
