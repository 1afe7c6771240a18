import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from './suggest.ts';

describe('the nearest word', () => {
  const keys = ['timeout', 'match', 'to', 'respond', 'redirect', 'host', 'request', 'response', 'maxBody'];

  test.each([
    ['tiemout', 'timeout'],
    ['timout', 'timeout'],
    ['timeoutt', 'timeout'],
    ['Timeout', 'timeout'],
    ['max_body', 'maxBody'],
    ['max-body', 'maxBody'],
    ['mtach', 'match'],
    ['reponse', 'response'],
    ['requests', 'request'],
    ['t', null],
    ['banana', null],
    ['', null],
  ])('for "%s" is %s', (word, meant) => {
    expect(nearest(word, keys)).toBe(meant);
  });

  test('is never the word itself', () => {
    expect(nearest('match', ['match'])).toBeNull();
  });
});

describe('the edit distance', () => {
  test('counts a swap of neighbours as one', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  test('is the same both ways, and 0 only between equals', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        return distance === editDistance(b, a) && (distance === 0) === (a === b);
      }),
    );
  });
});

test('a limit ends the count early, and changes nothing within it', () => {
  const words = ['token', 'tokne', 'toekn', 'route', 'password', 'passwrod', 'pasword', 'match', 'a', ''];
  for (const a of words)
    for (const b of words)
      for (const limit of [0, 1, 2, 3]) {
        const whole = editDistance(a, b);
        const limited = editDistance(a, b, limit);
        if (whole <= limit) expect(limited, `${a} ${b}`).toBe(whole);
        else expect(limited, `${a} ${b}`).toBeGreaterThan(limit);
      }
});
