import type { CacheFinding } from './exchange.ts';

/** What became of a request at the cache, in one word: a bounded label for metrics, logs and the dashboard. */
export const CACHE_OUTCOMES = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass'] as const;
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

/** Null where no cache was asked. `collapsed`: answered by the fill that another request had begun. */
export function cacheOutcome(finding: CacheFinding | null): CacheOutcome | null {
  if (finding === null) return null;
  const { hit, fwd, fwdStatus, collapsed, detail } = finding;
  if (detail !== undefined && STALE.has(detail)) return 'stale';
  if (hit === true) return 'hit';
  if (collapsed === true) return 'collapsed';
  if (fwdStatus === 304) return 'revalidated';
  return fwd === 'bypass' || fwd === 'method' ? 'bypass' : 'miss';
}

/** Details of answers that were given although their time was over. */
const STALE: ReadonlySet<string> = new Set(['max-stale', 'stale-while-revalidate', 'stale-if-error']);
