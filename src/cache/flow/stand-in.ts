import type { Reply } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { canUseOnError, type RequestCacheFields } from '../policy/index.ts';
import type { FlightRoute } from './flight-route.ts';

/**
 * The stale entry in the place of an answer that failed (RFC 5861 §4); null where it may not be, or nothing failed.
 *
 * @param find The entry as it stands by now: it may have been unseated while the origin was asked.
 */
export function standInFor<T>(
  route: FlightRoute<T>,
  { directives }: RequestCacheFields,
  { failure, status: answered }: Reply,
  find: () => Entry | undefined,
): Entry | null {
  const status = failure === null ? answered : null;
  if (status !== null && status < 500) return null;
  const entry = find();
  // This worker may have heard nothing for a while.
  if (entry === undefined || !route.mayAnswer(entry.tags)) return null;
  const { cache, rules } = route;
  const asked = rules.policy.ignoreClientDirectives ? null : directives;
  return canUseOnError(entry, cache.parts.clock.wall(), status, asked) ? entry : null;
}
