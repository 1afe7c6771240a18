import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterQuery, joinQuery, parameterNames } from './query.ts';

describe('query: { only }', () => {
  const only = (query: string | null, ...names: string[]) => filterQuery(query, new Set(names));

  test('keeps the bytes of what it lets through', () => {
    expect(only('a=%41+b&b=2&c=%c3%a9', 'a', 'c')).toBe('a=%41+b&c=%c3%a9');
  });

  test('keeps every value of a parameter, and one without a value', () => {
    expect(only('a=1&x=1&a=2&a', 'a')).toBe('a=1&a=2&a');
  });

  test('compares decoded names: percent-encoding and + hide none', () => {
    expect(only('%61=1&a+b=2&a%20b=3', 'a', 'a b')).toBe('%61=1&a+b=2&a%20b=3');
    expect(only('%61dmin=1', 'a')).toBeNull();
  });

  test('leaves no question mark where nothing is left', () => {
    expect(only('x=1', 'a')).toBeNull();
    expect(only(null, 'a')).toBeNull();
    expect(only('', 'a')).toBeNull();
  });

  test('parameter smuggling: a name that cannot be decoded stands for itself', () => {
    expect(only('a%=1&a%ff=2&a=3', 'a')).toBe('a=3');
    expect(only('%zz=1', '%zz')).toBe('%zz=1');
  });

  test('lets no nameless parameter through', () => {
    expect(only('a=1&&=2&b=3', 'a', 'b')).toBe('a=1&b=3');
  });
});

describe('the query of to.path stands first', () => {
  test('and the client’s follows after &', () => {
    expect(joinQuery('v=2', 'a=1&b=%20')).toBe('v=2&a=1&b=%20');
  });

  test('without parameters of the same decoded name', () => {
    expect(joinQuery('tier=gold', 'tier=free&a=1&%74ier=x&tie%72')).toBe('tier=gold&a=1');
    expect(joinQuery('a%20b=1', 'a+b=2')).toBe('a%20b=1');
  });

  test('one side alone stays as it is', () => {
    expect(joinQuery(null, 'a=1&&b')).toBe('a=1&&b');
    expect(joinQuery(null, null)).toBeNull();
    expect(joinQuery(null, '')).toBe('');
    expect(joinQuery('a=1', null)).toBe('a=1');
    expect(joinQuery('a=1', '')).toBe('a=1');
    expect(joinQuery('', 'b=1')).toBe('b=1');
    expect(joinQuery('', null)).toBe('');
  });

  test('takes the names of its own where they are at hand', () => {
    expect(joinQuery('a=1', 'a=2&b=3', new Set(['a']))).toBe('a=1&b=3');
  });
});

test('no parameter of the client ever shares a name with one of the gateway’s own', () => {
  const piece = fc.stringMatching(/^[a-c%+0-9=;]{0,6}$/);
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1 }), fc.array(piece), (own, client) => {
      const first = own.join('&');
      const joined = joinQuery(first, client.join('&'))!;
      expect(joined.startsWith(first)).toBe(true);
      const rest = joined.slice(first.length + (first === '' ? 0 : 1));
      if (rest === '') return;
      const names = parameterNames(first);
      for (const name of parameterNames(rest)) expect(names.has(name)).toBe(false);
    }),
  );
});
