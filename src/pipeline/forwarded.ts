import { isIP, SocketAddress } from 'node:net';
import type { Exchange } from '../http/exchange.ts';
import { getJoined, type Headers, removeLines, sameName, trimOws } from '../http/headers.ts';
import type { AddressSet } from '../util/cidr.ts';
import { isAuthority } from './authority.ts';

/**
 * What a request tells a service about where it came from. Each function makes one header's value from the
 * one that stands (all its lines joined, or undefined) and from what the gateway itself knows. `trusted` is:
 * the peer is one of the listener's `trustedProxies`; of any other peer nothing that stands is believed.
 */

/** `X-Forwarded-For`: the peer behind the chain that a trusted proxy sent. IPv6 without brackets, as is usual. */
export function forwardedFor(existing: string | undefined, peer: string, trusted: boolean): string {
  return trusted && existing !== undefined && existing !== '' ? `${existing}, ${peer}` : peer;
}

/** `X-Forwarded-Proto`: kept as a trusted proxy sent it, unless it names no scheme of HTTP. */
export function forwardedProto(existing: string | undefined, scheme: string, trusted: boolean): string {
  return trusted && existing !== undefined && schemeOf(existing) !== null ? existing : scheme;
}

/** `X-Forwarded-Host`: kept as a trusted proxy sent it, unless it is no host. */
export function forwardedHost(existing: string | undefined, authority: string, trusted: boolean): string {
  return trusted && existing !== undefined && hostOf(existing) !== null ? existing : authority;
}

/**
 * `Forwarded` (RFC 7239): this hop's element behind those of a trusted proxy. Undefined, no header, where
 * none was sent or it isn't believed: the X-Forwarded ones say the same, and are what services read.
 */
export function forwarded(
  existing: string | undefined,
  peer: string,
  scheme: string,
  authority: string,
  trusted: boolean,
): string | undefined {
  if (!trusted || existing === undefined || existing === '') return undefined;
  const host = authority === '' ? '' : `;host=${parameter(authority)}`;
  return `${existing}, for=${node(peer)}${host};proto=${scheme}`;
}

/** A node of `Forwarded`: IPv6 in brackets and therefore quoted (RFC 7239 §6). */
function node(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

/** A token as it is, all else quoted (RFC 7239 §4). */
function parameter(value: string): string {
  if (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

const VIA_10 = '1.0 tidegate';
const VIA_11 = '1.1 tidegate';
const VIA_20 = '2.0 tidegate';

/**
 * `Via` (RFC 9110 §7.6.3): appended on requests and answers alike, whoever sent what stands.
 *
 * @param version Of the message received: 10, 11 or 20.
 */
export function via(existing: string | undefined, version: number): string {
  const own = version === 11 ? VIA_11 : version === 10 ? VIA_10 : VIA_20;
  return existing === undefined || existing === '' ? own : `${existing}, ${own}`;
}

/**
 * The client's address (`request.ip`): the peer's; behind a trusted proxy, the first address from the right
 * of `X-Forwarded-For` that is not one of them. An entry that is no address ends the search, because whoever
 * wrote it can't be relied on for what stands before it: then, and where all are trusted, it is the last
 * address found.
 */
export function clientAddress(exchange: Exchange, trusted: AddressSet): string {
  let found = exchange.origin.address;
  if (!trusted.has(found)) return found;
  const chain = getJoined(exchange.headers, 'x-forwarded-for');
  if (chain === undefined) return found;
  let end = chain.length;
  while (end >= 0) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1);
    const address = addressOf(trimOws(chain.slice(comma + 1, end)));
    if (address === null) return found;
    found = address;
    if (!trusted.has(address)) return found;
    end = comma;
  }
  return found;
}

/** An address in its one spelling, so that equal ones compare equal; null for anything else. */
function addressOf(text: string): string | null {
  if (!text.includes(':')) return isIP(text) === 4 ? text : null;
  if (text.includes('%') || isIP(text) !== 6) return null;
  const address = new SocketAddress({ address: text, family: 'ipv6' }).address;
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/.test(address) ? address.slice(7) : address;
}

/** The scheme as the client used it (`request.scheme`), which only a trusted proxy may say in its place. */
export function clientScheme(exchange: Exchange, trusted: boolean): string {
  if (!trusted) return exchange.origin.scheme;
  const existing = getJoined(exchange.headers, 'x-forwarded-proto');
  return (existing === undefined ? null : schemeOf(existing)) ?? exchange.origin.scheme;
}

/** `host[:port]` as the client used it, which only a trusted proxy may say in the place of Host. */
export function clientAuthority(exchange: Exchange, trusted: boolean): string {
  if (!trusted) return exchange.authority;
  const existing = getJoined(exchange.headers, 'x-forwarded-host');
  return (existing === undefined ? null : hostOf(existing)) ?? exchange.authority;
}

/** Of a list the last counts: the trusted peer wrote it, the others may be anyone's. */
function last(list: string): string {
  const comma = list.lastIndexOf(',');
  return comma < 0 ? list : trimOws(list.slice(comma + 1));
}

function schemeOf(existing: string): string | null {
  switch (last(existing).toLowerCase()) {
    case 'https':
    case 'wss':
      return 'https';
    case 'http':
    case 'ws':
      return 'http';
    default:
      return null;
  }
}

function hostOf(existing: string): string | null {
  const host = last(existing);
  return isAuthority(host) ? host : null;
}

/**
 * Takes away what a client that isn't trusted says of where it came from, in any spelling that a service
 * could take for it (case, `_` for `-`). In place. Only needed where a transform follows that may set such
 * headers itself; else whoever writes the head passes them over.
 */
export function dropForwarded(headers: Headers): void {
  removeLines(headers, isForwarded);
}

/** Does this header say where a request came from: `Forwarded`, `X-Real-IP`, or any `X-Forwarded-*`? */
export function isForwarded(name: string): boolean {
  const first = name.charCodeAt(0) | 32;
  if (first === 102) return sameName(name, 'forwarded');
  if (first !== 120 || name.length < 9) return false;
  return /^x[-_](?:real[-_]ip$|forwarded(?:[-_]|$))/i.test(name);
}
