import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineBytes } from './line-bytes.ts';

const written = (write: (line: LineBytes) => void) => {
  const line = new LineBytes(8);
  write(line);
  return line.bytes.subarray(0, line.length).toString();
};

it('numbers are written as JSON writes them', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(written((line) => line.count(value))).toBe(JSON.stringify(value));
    }),
  );
  for (const value of [0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 40])
    expect(written((line) => line.count(value))).toBe(String(value));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (ms) => {
      expect(Number(written((line) => line.milliseconds(ms)))).toBe(Math.round(ms * 1000) / 1000);
    }),
  );
  expect([0, 12, 1.5, 0.042, 0.04, 3.007].map((ms) => written((line) => line.milliseconds(ms)))).toEqual([
    '0',
    '12',
    '1.5',
    '0.042',
    '0.04',
    '3.007',
  ]);
});

it('a text between quotes is what JSON would make of it, or is left to others, and nothing is left behind', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const line = new LineBytes(8);
      line.ascii('before');
      const plain = line.plainString('"', text);
      const expected = plain ? `before${JSON.stringify(text)}` : 'before';
      expect(line.bytes.subarray(0, line.length).toString()).toBe(expected);
      expect(plain).toBe(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/.test(text));
    }),
  );
});

it('grows as it must, and takes any text', () => {
  const text = 'é→𝄞'.repeat(1000);
  expect(written((line) => line.utf8(text))).toBe(text);
});
