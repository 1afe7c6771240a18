import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePattern } from '../util/pattern.ts';
import { literalPrefix } from './regex-index.ts';

test.each([
  ['/img/.*', '/img/'],
  ['^/img/a[0-9]', '/img/a'],
  ['/a\\.b/c', '/a.b/c'],
  ['/ab*', '/a'],
  ['/ab?', '/a'],
  ['/ab{2}', '/a'],
  ['/a\\.+', '/a'],
  ['/a/\\d+', '/a/'],
  ['/a|/b', ''],
  ['(?i)/a', ''],
  ['.*', ''],
  ['\\Q/a', ''],
  ['/a\\Qb\\E', '/a'],
  ['', ''],
])('%s begins with "%s"', (source, prefix) => {
  expect(literalPrefix(source)).toBe(prefix);
});

test('whatever a pattern matches begins with its prefix', () => {
  const piece = fc.constantFrom(
    '/',
    'a',
    'b',
    '\\.',
    '.',
    '*',
    '+',
    '?',
    '{2}',
    '(',
    ')',
    '[ab]',
    '|',
    '^',
    '$',
    '\\/',
    '(?i)',
    '\\b',
  );
  const text = fc
    .array(fc.constantFrom('/', 'a', 'b', '.', 'A'), { maxLength: 8 })
    .map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(text, { minLength: 5, maxLength: 20 }),
      (pieces, texts) => {
        const source = pieces.join('');
        let pattern: { matches(text: string): boolean };
        try {
          pattern = compilePattern(source);
        } catch {
          return;
        }
        for (const one of texts)
          if (pattern.matches(one)) expect(one.startsWith(literalPrefix(source))).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});
