import type { Exchange } from '../http/exchange.ts';
import { getHeaders } from '../http/headers.ts';

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
  return scheme === exchange.scheme && host !== undefined && sameHost(host, exchange);
}

function sameHost(host: string, exchange: Exchange): boolean {
  const authority = exchange.trusted ? exchange.host : exchange.authority.toLowerCase();
  const port = exchange.scheme === 'https' ? ':443' : ':80';
  if (exchange.trusted) return host.replace(/:\d+$/, '') === authority;
  return withoutPort(host, port) === withoutPort(authority, port);
}

function withoutPort(host: string, port: string): string {
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}
