import { getHeader, getHeaders, type Headers } from '../../http/headers.ts';
import { dateValue } from './age.ts';
import type { Directives } from './directives.ts';
import { parseHttpDate } from './http-date.ts';
import type { RoutePolicy } from './route-policy.ts';
import { isHeuristic, takesBareTtl, takesDefaultTtl } from './status.ts';

/** A tenth of the time since the last change, and never more than a day (RFC 9111 §4.2.2). */
const HEURISTIC_SHARE = 0.1;
const LONGEST_GUESS = 86_400;

/** Freshness lifetime in seconds, or null where nobody names one (RFC 9111 §4.2.1). */
export function lifetimeOf(
  status: number,
  headers: Headers,
  directives: Directives,
  policy: RoutePolicy,
  responseAt: number,
): number | null {
  const own = explicitLifetime(headers, directives, responseAt);
  const route = routeLifetime(status, policy);
  const named = policy.override ? (route ?? own) : (own ?? route);
  if (named !== null || !policy.heuristic) return named;
  return isHeuristic(status) || directives.public ? guess(headers, responseAt) : null;
}

function explicitLifetime(headers: Headers, directives: Directives, responseAt: number): number | null {
  if (directives.sMaxage !== null) return directives.sMaxage;
  if (directives.maxAge !== null) return directives.maxAge;
  // A targeted field silences Expires too (RFC 9213 §2.2).
  if (directives.source !== null && directives.source !== 'cache-control') return null;
  return expiresLifetime(headers, responseAt);
}

/** An invalid Expires, "0" above all, is a time in the past; so are several that differ (RFC 9111 §5.3, §4.2.1). */
function expiresLifetime(headers: Headers, responseAt: number): number | null {
  const lines = getHeaders(headers, 'expires');
  if (lines.length === 0) return null;
  if (lines.some((line) => line !== lines[0])) return 0;
  const expires = parseHttpDate(lines[0]!, responseAt);
  return expires === null ? 0 : Math.max(0, expires - dateValue(headers, responseAt)) / 1000;
}

function routeLifetime(status: number, policy: RoutePolicy): number | null {
  const { byStatus, bare, default: rest } = policy.ttl;
  const named = byStatus[status];
  if (named !== undefined) return named;
  if (bare !== null && takesBareTtl(status)) return bare;
  return rest !== null && takesDefaultTtl(status) ? rest : null;
}

function guess(headers: Headers, responseAt: number): number | null {
  const changed = getHeader(headers, 'last-modified');
  const at = changed === undefined ? null : parseHttpDate(changed, responseAt);
  if (at === null) return null;
  const unchanged = Math.max(0, dateValue(headers, responseAt) - at) / 1000;
  return Math.min(unchanged * HEURISTIC_SHARE, LONGEST_GUESS);
}
