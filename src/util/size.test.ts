import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSize, parseSize, sizeError } from './size.ts';

describe('sizes', () => {
  test.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['10MiB', 10_485_760],
    ['1.5GiB', 1_610_612_736],
    ['0B', 0],
  ])('%s is %d bytes', (text, bytes) => {
    expect(sizeError(text)).toBeNull();
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    ['10', 'say "10B" for bytes, "10KiB" or "10MiB"'],
    ['10M', 'write "10MiB": 1MiB is 1048576 bytes'],
    ['10MB', 'write "10MiB": 1MiB is 1048576 bytes'],
    ['10 MiB', 'write "10MiB"'],
    ['10kib', 'write "10KiB": 1KiB is 1024 bytes'],
    ['-1B', 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB'],
    ['many', 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB'],
    ['99999999999999999', 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB'],
    ['99999999999999999KiB', 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB'],
    ['99999999999TiB', 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB'],
  ])('"%s" is refused, and told how to write it', (text, advice) => {
    expect(sizeError(text)?.advice).toBe(advice);
  });

  test('what is formatted is parsed to the same', () => {
    fc.assert(fc.property(fc.nat(2 ** 30), (bytes) => parseSize(formatSize(bytes)) === bytes));
  });
});
