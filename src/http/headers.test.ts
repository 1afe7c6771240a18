import { expect, it } from 'vitest';
import { trimOws } from './headers.ts';

it.each([
  ['spaces and tabs on both sides', ' \t a b\t ', 'a b'],
  ['nothing', 'a', 'a'],
  ['all there is', ' \t\t ', ''],
  ['of an empty text, nothing', '', ''],
])('white space around a value is taken off: %s (OWS, RFC 9110 §5.6.3)', (_, text, bare) => {
  expect(trimOws(text)).toBe(bare);
});

// Every other character that `String.prototype.trim` takes off, those of one byte that HTTP lets pass first.
it.each([
  ['0xA0 (a no-break space in Latin-1, a part of a character in UTF-8)', '\xa0'],
  ['0xA0 in the middle of UTF-8, as in "à"', '\xc3\xa0'],
  ['VT', '\x0b'],
  ['FF', '\x0c'],
  ['CR', '\r'],
  ['LF', '\n'],
  ['U+2003', '\u2003'],
  ['U+FEFF', '\ufeff'],
])('no other byte is white space, as one hop might take it off and the next not: %s', (_, other) => {
  expect(trimOws(`${other}a${other}`)).toBe(`${other}a${other}`);
  expect(trimOws(` ${other}a${other}\t`)).toBe(`${other}a${other}`);
});
