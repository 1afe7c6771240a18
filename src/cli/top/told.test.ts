import { expect, it } from 'vitest';
import { told } from './told.ts';

const purge = { tags: ['a', 'b', 'c', 'd', 'e', 'f'], urls: [], prefixes: [], more: 40, all: false };

it.each([
  ['purge', { ...purge, soft: false }, 'purged a, b, c, d, e and 41 more'],
  ['purge', { ...purge, more: 0, tags: ['a'], soft: true }, 'made stale: a'],
  ['purge', { ...purge, all: true }, 'purged everything'],
  ['breaker', { service: 'shop', state: 'open' }, 'shop: its breaker is open'],
])('the event %s of %j reads %s', (type, data, words) => {
  expect(told(type, data, 0)?.piece[0]).toBe(words);
});
