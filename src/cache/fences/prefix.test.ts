import { expect, test } from 'vitest';
import { Fences, hasPrefix } from './fences.ts';

test.for<[string, string, boolean]>([
  ['https://shop.example/catalogue/1', 'https://shop.example/cat', true],
  ['https://shop.example/catalogue/1', 'http://shop.example/cat', false],
  ['https://shop.example/catalogue/1', '/catalogue/', true],
  ['https://other.example:8443/catalogue/1?a=/b', '/catalogue/', true],
  ['https://shop.example/a?b=/catalogue/', '/catalogue/', false],
  ['https://shop.example/catalogue/1', '/', true],
  ['https://shop.example/catalogue/1', '//', false],
  ['https://shop.example/a', 'https://shop.example/a?', true],
  ['https://shop.example/a?b', 'https://shop.example/a?', true],
  ['https://shop.example/a', '/a?', true],
  ['https://shop.example/a?b', '/a?', true],
  ['https://shop.example/', '/?', true],
  ['https://shop.example/ab', '/a?', false],
  ['https://shop.example/', '/a?', false],
  ['https://shop.example/a', '/a?b?', false],
])('%s begins with %s: %s', ([url, prefix, expected]) => {
  expect(hasPrefix(url, prefix)).toBe(expected);
});

test('a purge of a path reaches it on every host', () => {
  const fences = new Fences();
  fences.apply(1, { tags: [], prefixes: ['/catalogue/'], all: false, soft: false });
  const entry = (url: string) => ({ sequence: 0, tags: [], url });
  expect(fences.isDead(entry('https://a.example/catalogue/1'))).toBe(true);
  expect(fences.isDead(entry('http://b.example/catalogue/1'))).toBe(true);
  expect(fences.isDead(entry('http://b.example/orders/1'))).toBe(false);
});
