import { describe, expect, test } from 'vitest';
import { requestScope } from '../expression/index.ts';
import { compileAuthority, isAuthority } from './authority.ts';
import { variables } from './fixtures.ts';

describe('an authority', () => {
  test.each(['a', 'a.b', 'a.b.', 'A-b_c.example:80', '127.0.0.1:65535', '[::1]', '[2001:db8::1]:443'])(
    'is valid: %s',
    (text) => {
      expect(isAuthority(text)).toBe(true);
    },
  );

  test.each([
    '',
    '.',
    'a..b',
    'a b',
    'a/b',
    'u@h',
    'a:',
    'a:65536',
    'a:x',
    '[::g]',
    '[1.2.3.4]',
    '::1',
    'a\r\nb',
    'a%2eb',
    'é',
    `${'a'.repeat(260)}`,
  ])('is not valid: %s', (text) => {
    expect(isAuthority(text)).toBe(false);
  });
});

describe('a host that is a template', () => {
  const host = compileAuthority('{params.tenant}.{auth.claims.zone}:80', requestScope);

  test('is filled in', () => {
    expect(host(variables({ params: { tenant: 'a' }, auth: { claims: { zone: 'example' } } }))).toBe(
      'a.example:80',
    );
  });

  test.each(['', 'a/b', 'a@b', 'a\r\nx: y', '.'])(
    'Host injection: fails for what makes no authority: %j',
    (tenant) => {
      expect(() => host(variables({ params: { tenant }, auth: { claims: { zone: 'example' } } }))).toThrow(
        expect.objectContaining({ origin: 'request' }),
      );
    },
  );
});
