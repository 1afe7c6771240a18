import { describe, expect, it } from 'vitest';
import { exchangeOf } from '../../expression/fixtures.ts';
import { ExchangeVariables } from '../../expression/index.ts';
import type { Headers } from '../../http/headers.ts';
import { compileClientKey } from './client-key.ts';

function keyOf(expression: string, headers: Headers = [], identity: object | null = null, source = 'shop') {
  const exchange = exchangeOf('/orders/1', headers);
  if (identity !== null) exchange.identity = { claims: new Map(), permissions: [], ...identity } as never;
  return compileClientKey(source, expression)(exchange, new ExchangeVariables(exchange));
}

describe('the key of a client', () => {
  it('is the same for the same value of the same source, and tells nothing of it', () => {
    const user = 'request.headers["x-user"]';
    const key = keyOf(user, ['X-User', 'ada']);
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(keyOf(user, ['x-user', 'ada'])).toBe(key);
    expect(keyOf(user, ['X-User', 'bob'])).not.toBe(key);
    expect(keyOf(user, ['X-User', 'ada'], null, 'stock')).not.toBe(key);
  });

  it('tells people apart that two providers know by one name', () => {
    const [one, other] = ['staff', 'customers'].map((provider) =>
      keyOf('auth.subject', [], { provider, subject: '42' }),
    );
    expect(one).not.toBeNull();
    expect(one).not.toBe(other);
  });

  it.each([
    ['there is nothing to tell', 'request.headers["x-user"]', []],
    ['it is empty', 'request.headers["x-user"]', ['X-User', '']],
    ['it fails', '1 / 0 == 1', []],
    ['nobody is known', 'auth.subject', []],
  ] as const)('is none where %s', (_, expression, headers) => {
    expect(keyOf(expression, [...headers])).toBeNull();
  });
});
