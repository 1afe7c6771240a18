import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compilePattern, PatternError } from './pattern.ts';
import { nativePattern } from './pattern-native.ts';

describe('patterns', () => {
  it('match the whole text, or are found in it', () => {
    const pattern = compilePattern('[a-z]+');
    expect(pattern.matches('abc')).toBe(true);
    expect(pattern.matches('abc1')).toBe(false);
    expect(pattern.find('1abc1')).toBe(true);
    expect(pattern.find('123')).toBe(false);
    expect(pattern.source).toBe('[a-z]+');
  });

  it('look at case only if told to', () => {
    expect(compilePattern('abc').matches('ABC')).toBe(false);
    expect(compilePattern('abc', { ignoreCase: true }).matches('ABC')).toBe(true);
    expect(compilePattern('(a|b)c', { ignoreCase: true }).matches('BC')).toBe(true);
  });

  it.each([
    ['a(b', 1, 'the pattern is broken: missing closing ): "a(b"'],
    ['(?=a)', 0, 'the pattern looks ahead or behind with "(?=", which RE2 does not do'],
    ['(?<!a)', 0, 'the pattern looks ahead or behind with "(?<!", which RE2 does not do'],
    ['a**', 1, 'the pattern is broken: invalid nested repetition operator: "**"'],
    ['a{1001}', 1, 'the pattern is broken: invalid repeat count: "{1001}"'],
    ['[z-a]', 1, 'the pattern is broken: invalid character class range: "z-a"'],
    ['(a)\\1', 3, 'the pattern is broken: invalid escape sequence: "\\1"'],
    ['*a', 0, 'the pattern is broken: missing argument to repetition operator: "*"'],
  ])('%s is refused, with its place', (source, offset, message) => {
    expect(() => compilePattern(source)).toThrow(PatternError);
    try {
      compilePattern(source);
    } catch (error) {
      expect((error as PatternError).message).toBe(message);
      expect([offset, 0]).toContain((error as PatternError).offset);
    }
  });

  it('take time linear in the text, whatever they are', () => {
    const text = `${'a'.repeat(20_000)}!`;
    const start = performance.now();
    for (const source of [
      '(a|a)*',
      '(a*)*b',
      '(a|aa)+$',
      '[a-z]+[a-y]+[a-x]+',
      'a*a*a*a*b',
      '.*.*=.*',
      '(.*)(.*)(.*)x',
      '[a-z]*z',
    ]) {
      const pattern = compilePattern(source);
      pattern.matches(text);
      pattern.find(text);
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('what the engine is given in place of RE2', () => {
  it.each([
    '[A-Z0-9-]+',
    '[a-z0-9-]+',
    '\\d+',
    '\\w{1,20}',
    'v\\d+',
    '[^/]+',
    'GET|POST',
    '[a-z]+-[0-9]+',
    '/a/[0-9a-f]{8}',
    '.*',
    'on',
    '[0-9]{4}-[0-9]{2}',
    '.+\\.png|.+',
  ])('recognises %s', (source) => {
    const { whole } = nativePattern(source, false);
    if (source !== '.+\\.png|.+') expect(whole).not.toBeNull();
  });

  it.each([
    '[a-z]*[a-z]*',
    '[a-z]*z',
    'a*a',
    '(a)',
    'a+?',
    '\\bx',
    '(?i)a',
    '[[:alpha:]]',
    '\\pL',
    'a{2}{3}',
    '.*x',
    'a?a',
  ])('leaves %s to RE2', (source) => {
    expect(nativePattern(source, false).whole).toBeNull();
  });

  it('does not look for what may be long at every place', () => {
    expect(nativePattern('[a-z]+-', false).find).toBeNull();
    expect(nativePattern('^[a-z]+-', false).find).not.toBeNull();
    expect(nativePattern('[a-z]{3}-', false).find).not.toBeNull();
  });

  const literal = fc
    .constantFrom(...'abkKsS09_-/.ä😀'.split(/(?:)/u))
    .map((character) => character.replace(/[.\-/]/, '\\$&'));
  const inSet = fc.constantFrom(
    'a-c',
    'K',
    's',
    '0-9',
    '_',
    '\\d',
    '\\w',
    '\\s',
    '/',
    '.',
    'ä-ü',
    '\\-',
    '^',
    ',-.',
    'A-Z',
    '\\D',
    '😀',
  );
  const set = fc
    .tuple(
      fc.constantFrom('', '^'),
      fc.array(inSet, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('', '-'),
    )
    .map(([sign, parts, dash]) => `[${sign}${parts.join('')}${dash}]`);
  const atom = fc.oneof(literal, set, fc.constantFrom('.', '\\d', '\\w', '\\s', '\\W', '\\t'));
  const repeat = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{2,}', '{0,1}');
  const sequence = fc
    .tuple(
      fc.constantFrom('', '', '^'),
      fc.array(fc.tuple(atom, repeat), { maxLength: 4 }),
      fc.constantFrom('', '', '$'),
    )
    .map(([start, items, end]) => start + items.map((item) => item.join('')).join('') + end);
  const source = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((sequences) => sequences.join('|'));
  const text = fc.string({
    unit: fc.constantFrom(...'abckKsSſK09_-/.äü😀 \n\t^,Z'.split(/(?:)/u), '\ud800', '\udc00'),
    maxLength: 8,
  });

  it('means what RE2 means by it', () => {
    let recognised = 0;
    fc.assert(
      fc.property(
        source,
        fc.boolean(),
        fc.array(text, { minLength: 5, maxLength: 10 }),
        (pattern, ignoreCase, texts) => {
          const native = nativePattern(pattern, ignoreCase);
          if (native.whole === null) return;
          recognised++;
          const re2 = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
          for (const sample of texts) {
            expect([pattern, ignoreCase, sample, native.whole.test(sample)]).toEqual([
              pattern,
              ignoreCase,
              sample,
              re2.testExact(sample),
            ]);
            if (native.find !== null)
              expect([pattern, ignoreCase, sample, native.find.test(sample)]).toEqual([
                pattern,
                ignoreCase,
                sample,
                re2.test(sample),
              ]);
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(recognised).toBeGreaterThan(500);
  });
});
