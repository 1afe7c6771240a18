import { isIP } from 'node:net';
import type { Complaint } from './kit.ts';

/** Where to listen. IPv6 addresses without brackets. */
export interface SocketAddress {
  host: string;
  port: number;
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** What is wrong with an address to listen on; null if nothing. */
export function addressComplaint(text: string): Complaint | null {
  if (/^:?\d+$/.test(text)) {
    const port = text.replace(':', '');
    return {
      message: `"${text}" does not say on which address`,
      advice: `write 127.0.0.1:${port} for this machine alone, or 0.0.0.0:${port} for everyone`,
    };
  }
  if (/^\w+:\/\//.test(text)) {
    return { message: `"${text}" is a URL`, advice: 'write address:port alone, such as 0.0.0.0:8080' };
  }
  if (text.startsWith('*:'))
    return { message: `"${text}" is not an address`, advice: `write 0.0.0.0${text.slice(1)}` };
  if (isIP(text) === 6) return bareIpv6(text);
  const split = splitAddress(text);
  if (split === null)
    return { message: `"${text}" has no port`, advice: `write ${text || '127.0.0.1'}:8080` };
  const [host, port] = split;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    const message = port === '' ? `"${text}" has no port` : `"${port}" is not a port`;
    return { message, advice: 'a port is a number from 1 to 65535 (0: any free one)' };
  }
  return hostComplaint(host, text, port);
}

function bareIpv6(text: string): Complaint {
  const meant = withPort(text) ?? `[${text}]:8080`;
  return { message: `"${text}" has no port`, advice: `write "${meant}", with quotes in YAML` };
}

/** `::1:8080` is an address by itself, but is most often meant to end in a port; null: it can't be. */
function withPort(text: string): string | null {
  const [, host, port] = /^(.*):(\d{2,5})$/.exec(text) ?? [];
  return host !== undefined && isIP(host) === 6 ? `[${host}]:${port}` : null;
}

/** How a URL is written whose host is an IPv6 address without brackets. */
export function bracketsAdvice(scheme: string, host: string): string {
  const meant = withPort(host);
  const whole = `${scheme}://[${host}]`;
  if (meant === null) return `write IPv6 addresses in brackets: ${whole}`;
  return `write IPv6 addresses in brackets: ${scheme}://${meant}, or ${whole} where that is no port`;
}

function hostComplaint(host: string, text: string, port: string): Complaint | null {
  if (host.startsWith('[')) {
    if (isIP(host.slice(1, -1)) === 6) return null;
    return {
      message: `"${host}" is not an IPv6 address`,
      advice: 'write one in brackets, such as [::1]:8080',
    };
  }
  if (isIP(host) === 6) return { message: `"${text}" needs brackets`, advice: `write [${host}]:${port}` };
  // A name of digits and dots alone is an address with a slip in it.
  if (isIP(host) === 4 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host))) return null;
  return {
    message: `"${host}" is not an IP address or host name`,
    advice: 'write one such as 127.0.0.1:8080',
  };
}

/** An address that `addressComplaint` finds nothing wrong with. */
export function parseAddress(text: string): SocketAddress {
  const [host, port] = splitAddress(text)!;
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(port) };
}

export function formatAddress(address: SocketAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function splitAddress(text: string): [host: string, port: string] | null {
  const colon = text.lastIndexOf(':');
  return colon < 0 || text.endsWith(']') ? null : [text.slice(0, colon), text.slice(colon + 1)];
}
