import { expect, test } from 'vitest';
import type { RouteCacheConfig } from '../config/model.ts';
import { requestScope } from '../expression/index.ts';
import { exchangeOf } from '../pipeline/fixtures.ts';
import { compileKeyOf } from './cache-key.ts';

const keyOf = compileKeyOf(
  'route',
  {
    key: { query: { kind: 'all' }, headers: ['x-forwarded-for'], cookies: [], body: false },
    vary: null,
    private: false,
  } as unknown as RouteCacheConfig,
  requestScope,
);
const key = (address: string, chain: string | null, trusted = false) =>
  keyOf(exchangeOf({ address, trusted, headers: chain === null ? [] : ['X-Forwarded-For', chain] })).key;

test('X-Forwarded-For counts as the service gets it: with the address of whoever is connected', () => {
  expect(key('203.0.113.5', null)).not.toBe(key('203.0.113.6', null));
  expect(key('203.0.113.5', '198.51.100.1')).toBe(key('203.0.113.5', null));
  expect(key('203.0.113.5', '198.51.100.1', true)).not.toBe(key('203.0.113.5', '198.51.100.2', true));
});
