import { describe, expect, it } from 'vitest';
import { KeyedHash } from './keyed-hash.ts';

describe('a hash with a secret', () => {
  /** Those of the Linux kernel for its HalfSipHash-1-3, of messages of an even length: key 00 to 07, message 00, 01, … */
  const published = [0x5814c896, 0xbc4b0e30, 0x7e059ea6, 0xa0080b65, 0x577999b1, 0xe4fa32cf];

  it('is HalfSipHash-1-3 of the code units', () => {
    const hash = new KeyedHash([0x03020100, 0x07060504]);
    const bytes = Buffer.from(Array.from({ length: 2 * published.length }, (_, i) => i));
    const hashes = published.map((_, i) => hash.of(bytes.toString('utf16le', 0, 2 * i)) >>> 0);
    expect(hashes).toEqual(published);
  });

  it('tells texts of odd lengths, and of the same beginnings, apart', () => {
    const hash = new KeyedHash();
    const texts = ['', 'a', 'b', 'ab', 'ba', 'a\0', '\0a', 'abc', 'abcd', 'abd', 'ā', 'Āa'];
    expect(new Set(texts.map((text) => hash.of(text))).size).toBe(texts.length);
  });

  it('is another one for each secret: what falls together under one does not under the next', () => {
    const one = new KeyedHash([1, 2]);
    const texts = Array.from({ length: 4000 }, (_, i) => `/products/${i}`);
    const together = texts.filter((text) => (one.of(text) & 63) === 0);
    expect(together.length).toBeGreaterThan(30);
    const other = new KeyedHash([1, 3]);
    expect(together.filter((text) => (other.of(text) & 63) === 0).length).toBeLessThan(together.length / 4);
  });

  it('is the same for a text in one piece and one that was put together', () => {
    const hash = new KeyedHash();
    const url = ['http://', 'shop.example', '/products/', '12345'].reduce((all, piece) => all + piece);
    expect(hash.of(url)).toBe(hash.of('http://shop.example/products/12345'));
  });
});
