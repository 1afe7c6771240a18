import { expect, test } from 'vitest';
import { type CacheOutcome, cacheOutcome } from './cache-outcome.ts';
import type { CacheFinding } from './exchange.ts';

const cases: [CacheOutcome | null, CacheFinding | null][] = [
  [null, null],
  ['hit', { hit: true }],
  ['stale', { hit: true, detail: 'stale-while-revalidate' }],
  ['stale', { hit: true, detail: 'max-stale' }],
  ['stale', { fwd: 'stale', fwdStatus: 500, detail: 'stale-if-error' }],
  ['collapsed', { fwd: 'uri-miss', collapsed: true }],
  ['collapsed', { fwd: 'stale', fwdStatus: 304, stored: true, collapsed: true }],
  ['revalidated', { fwd: 'stale', fwdStatus: 304, stored: true, collapsed: false }],
  ['miss', { fwd: 'uri-miss', stored: true }],
  ['miss', { fwd: 'request', detail: 'no-cache' }],
  ['miss', { detail: 'only-if-cached' }],
  ['bypass', { fwd: 'bypass', detail: 'key' }],
  ['bypass', { fwd: 'method' }],
];

test.each(cases)('the cache is said to have given %s for %o', (outcome, finding) => {
  expect(cacheOutcome(finding)).toBe(outcome);
});
