import type { ErrorCode } from '../http/errors.ts';
import type { RequestHead } from './head.ts';

/** Where a request is for: what its target and Host say together (RFC 9112 §3.2, §3.3). */
export interface RequestTarget {
  /** Path and query, or `*`. */
  target: string;
  /** `host[:port]`; empty for an HTTP/1.0 request that names none. */
  authority: string;
}

/** The last `host[:port]` found good: on one connection it is nearly always the same. */
let lastGood = '';

/** A registered name, IPv4 or bracketed IPv6 address, then perhaps a port (RFC 3986 §3.2.2; no userinfo, no `%`). */
function isAuthority(text: string): boolean {
  if (text === lastGood && text !== '') return true;
  if (text.length > 300) return false;
  const match = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9\-._~!$&'()*+,;=]+)(?::(\d{0,5}))?$/.exec(text);
  if (match === null || Number(match[1] ?? 0) > 65535) return false;
  lastGood = text;
  return true;
}

export function resolveTarget(head: RequestHead): RequestTarget | ErrorCode {
  const { target, method } = head;
  if (method === 'CONNECT') return 'TG_REQUEST_CONNECT';
  if (head.host !== null && !isAuthority(head.host)) return 'TG_REQUEST_HOST';
  if (target.charCodeAt(0) === 47) {
    if (target.includes('#')) return 'TG_REQUEST_TARGET';
    return { target, authority: head.host ?? '' };
  }
  if (target === '*')
    return method === 'OPTIONS' ? { target, authority: head.host ?? '' } : 'TG_REQUEST_TARGET';
  return absoluteTarget(target, method);
}

/** `http://host/path?query`: its authority counts, not Host (RFC 9112 §3.2.2). */
function absoluteTarget(target: string, method: string): RequestTarget | ErrorCode {
  const match = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(target);
  if (match === null || !isAuthority(match[1]!)) return 'TG_REQUEST_TARGET';
  const rest = match[2]!;
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority: match[1]! };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority: match[1]! };
}
