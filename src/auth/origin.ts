import type { Exchange } from '../http/exchange.ts';
import { getHeaders } from '../http/headers.ts';
import { clientAuthority } from '../pipeline/index.ts';

/** RFC 9110 §9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * May this request count as the cookie's owner's own? Browsers send cookies along with whatever any page asks
 * for; so what changes something, or opens a tunnel, must say that it comes from a page of this origin
 * (RFC 6454 §7). A missing Origin says nothing.
 */
export function isSameOrigin(exchange: Exchange): boolean {
  if (SAFE.has(exchange.method) && exchange.upgrade === null) return true;
  const origins = getHeaders(exchange.headers, 'origin');
  if (origins.length !== 1) return false;
  const [scheme, host] = origins[0]!.toLowerCase().split('://');
  if (scheme !== exchange.scheme || host === undefined) return false;
  const usual = scheme === 'https' ? ':443' : ':80';
  const authority = clientAuthority(exchange, exchange.trusted).toLowerCase();
  return withoutPort(host, usual) === withoutPort(authority, usual);
}

function withoutPort(host: string, port: string): string {
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}
