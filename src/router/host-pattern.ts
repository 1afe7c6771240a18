import { domainToASCII } from 'node:url';

/** A host as routes compare it: lower case, no port, no final dot. A wildcard is kept as its suffix, `.example.com`. */
export type HostPattern = { kind: 'exact'; host: string } | { kind: 'wildcard'; suffix: string };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const IPV6 = /^\[[0-9a-f:.]+\]$/;

/** Compiles a host that `hostError` finds nothing wrong with. */
export function parseHostPattern(text: string): HostPattern {
  const host = comparable(text);
  return host.startsWith('*.') ? { kind: 'wildcard', suffix: host.slice(1) } : { kind: 'exact', host };
}

/** `*.example.com` takes one or more labels. */
export function hostFits(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'exact') return host === pattern.host;
  return host.length > pattern.suffix.length && host.endsWith(pattern.suffix);
}

/** What is wrong with a host of `match`, and what to write; null if nothing. */
export function hostError(text: string): { message: string; advice: string } | null {
  const host = comparable(text);
  if (host === '' || host === '*') {
    return { message: `"${text}" names no host`, advice: 'leave `host` out to match any host' };
  }
  if (text.includes('/')) {
    return { message: `"${text}" is no host`, advice: `write the name alone, as in \`${hostOfUrl(text)}\`` };
  }
  if (IPV6.test(host)) return null;
  const name = host.startsWith('*.') ? host.slice(2) : host;
  if (name.includes('*')) {
    return {
      message: 'a wildcard stands only for the first labels',
      advice: 'write `*.example.com`, or list the hosts',
    };
  }
  if (name.startsWith('.')) return { message: `"${text}" begins with a dot`, advice: `write \`*${host}\`` };
  if (name.length > 253 || !name.split('.').every((label) => LABEL.test(label))) {
    const advice = 'labels are letters, digits and hyphens, joined by dots, as in `shop.example.com`';
    return { message: `"${text}" is no host name`, advice };
  }
  return null;
}

/** The port that a host of `match` names, in vain; null if there is none. */
export function portOf(text: string): string | null {
  return /:([0-9]*)$/.exec(text.replace(/^\[[^\]]*\]/, ''))?.[1] ?? null;
}

function comparable(text: string): string {
  const host = text
    .replace(/(^\[[^\]]*\]|^[^:]*):[0-9]*$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  return /^[\x00-\x7f]*$/.test(host) ? host : international(host);
}

/** Names beyond ASCII reach the gateway as A-labels (RFC 5891). */
function international(host: string): string {
  const wildcard = host.startsWith('*.');
  const ascii = domainToASCII(wildcard ? host.slice(2) : host);
  if (ascii === '') return host;
  return wildcard ? `*.${ascii}` : ascii;
}

function hostOfUrl(text: string): string {
  return text.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '') || 'shop.example.com';
}
