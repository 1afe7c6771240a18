import type { AuditRule } from '../cache/index.ts';
import type { RouteCacheConfig } from '../config/model.ts';
import type { Counters } from '../telemetry/index.ts';
import { compileDifference } from './answer-difference.ts';

/** Compiles `audit`; null: the route compares nothing. */
export function compileAudit(
  route: string,
  { audit, policy }: RouteCacheConfig,
  counters: Counters,
): AuditRule | null {
  if (audit === null) return null;
  return {
    route,
    share: audit.share,
    // What is one user's own stays out of the log.
    difference: compileDifference(audit.ignore, policy.owner !== 'named'),
    counter: counters.route(route),
  };
}
