import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDictionary, parseStringList } from './structured.ts';

describe('RFC 9651 §4.2: parsing structured fields', () => {
  test.each([
    'a=1',
    'a',
    'a=?1',
    'a=1;b',
    'a=1; b=2',
    'a=tok/en:x',
    'a="x"',
    'a=:aGk=:',
    'a=(1 2)',
    'a=(1 "x";q=1);z',
    'a=()',
    'a=@1',
    'a=%"x%c3%a4"',
    '*a=1',
    'a.b-c_d*=1',
    'a=1 ,\tb=2',
    'a=-1.5',
    ' a=1 ',
  ])('a dictionary: %s', (text) => expect(parseDictionary(text)).not.toBeNull());
  test.each([
    'A=1',
    '1a=1',
    'a=',
    'a=1,',
    ',a=1',
    'a=1 b=2',
    'a =1',
    'a= 1',
    'a="x',
    'a="\\x"',
    'a=1.',
    'a=1.2345',
    'a=1234567890123456',
    'a=?2',
    'a=(1',
    'a=(1"x")',
    'a=1;',
    'a=1;A',
    'a=:a',
    'a="ä"',
    '=1',
    'a==1',
  ])('no dictionary: %s', (text) => expect(parseDictionary(text)).toBeNull());
  test('the last of equal keys counts', () => {
    expect(parseDictionary('a=1, a=2')?.get('a')).toEqual({ type: 'integer', value: 2 });
  });
  test('a list of strings is read, of anything else is not', () => {
    expect(parseStringList('"a", "b\\\\"')).toEqual(['a', 'b\\']);
    expect(parseStringList('"a", 1')).toBeNull();
  });
  test('any text is read or refused, never thrown at', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab=,;"\\()?:1.- %@*') });
    fc.assert(
      fc.property(text, (given) => {
        parseDictionary(given);
        parseStringList(given);
      }),
    );
  });
});
