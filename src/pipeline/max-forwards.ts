import { type Exchange, type Reply, reply } from '../http/exchange.ts';
import { getHeader, type Headers, sameName } from '../http/headers.ts';

/**
 * `Max-Forwards` (RFC 9110 §7.6.2): a client that looks for where a chain of proxies ends counts the hops that
 * TRACE or OPTIONS may still take. With other methods, and where it is no number, it means nothing.
 */
export function countsHops(method: string): boolean {
  return method === 'OPTIONS' || method === 'TRACE';
}

/** What the next one is told: one hop less. */
export function oneHopLess(value: string): string {
  const hops = hopsOf(value);
  return hops === null ? value : String(hops - 1);
}

/** The answer to a request that may go no further; null where it may. */
export function answeredHere(exchange: Exchange): Reply | null {
  if (!countsHops(exchange.method)) return null;
  const value = getHeader(exchange.headers, 'max-forwards');
  if (value === undefined || hopsOf(value) !== 0) return null;
  return exchange.method === 'OPTIONS' ? reply(204, [], null) : reflection(exchange);
}

/** Larger ones count as this: no chain is so long. */
const MOST = 255;

function hopsOf(value: string): number | null {
  return /^\d+$/.test(value) ? Math.min(Number(value), MOST) : null;
}

/** Only what helps to find the way: credentials, cookies and the like must not come back (RFC 9110 §9.3.8). */
const SHOWN = ['host', 'max-forwards', 'user-agent', 'via'];

function reflection({ method, target, version, headers }: Exchange): Reply {
  const lines = [`${method} ${target} HTTP/${version === 10 ? '1.0' : version === 20 ? '2' : '1.1'}`];
  eachShown(headers, (name, value) => lines.push(`${name}: ${value}`));
  const body = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return reply(200, ['Content-Type', 'message/http', 'Cache-Control', 'no-store'], body);
}

function eachShown(headers: Headers, show: (name: string, value: string) => void): void {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (SHOWN.some((one) => sameName(name, one))) show(name, headers[i + 1]!);
  }
}
