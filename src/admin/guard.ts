import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP, SocketAddress } from 'node:net';
import type { AdminConfig } from '../config/model.ts';

/** Why a request may not reach the admin API; null if it may. */
export interface Refusal {
  status: 401 | 403 | 415;
  title: string;
  detail: string;
  headers?: Record<string, string>;
}

/**
 * Keeps out whoever was not meant: a page in the operator's browser (by its Host when its name was rebound to this
 * address, by its Origin otherwise, by its content type where it sends a form), and whoever has no token.
 */
export class Guard {
  private readonly hosts: Set<string>;
  private readonly tokenHash: Buffer | null;
  private readonly isTls: boolean;
  /** Names of `hosts`. */
  private readonly named: Set<string>;

  constructor(config: AdminConfig) {
    this.isTls = config.tls !== null;
    this.named = new Set(config.hosts.map((host) => bare(host.toLowerCase())));
    this.hosts = new Set([...this.named, 'localhost', bare(config.host.toLowerCase())]);
    this.tokenHash = config.token === null ? null : hash(config.token);
  }

  /** @param own The token that is asked for in place of the admin's; null: there is none of its own. */
  check(request: IncomingMessage, own: string | null): Refusal | null {
    return (
      this.checkPage(request) ??
      (own === null ? this.checkToken(request) : checkOwn(request, own)) ??
      checkType(request)
    );
  }

  /** What of a page alone is looked at: the dashboard loads without a token, and asks for it. */
  checkPage(request: IncomingMessage): Refusal | null {
    return this.checkHost(request) ?? this.checkOrigin(request);
  }

  private checkHost(request: IncomingMessage): Refusal | null {
    const host = request.headers.host;
    if (host !== undefined && hostLines(request) === 1 && this.isOurs(nameOf(host), request)) return null;
    return refuse(
      403,
      'Forbidden',
      'The Host is neither the address of the admin listener, localhost, nor one of `admin.hosts`.',
    );
  }

  /** A page may only speak to the origin that it came from itself. */
  private checkOrigin(request: IncomingMessage): Refusal | null {
    const origin = request.headers.origin;
    if (origin === undefined) return null;
    const [, scheme, authority] = /^(https?):\/\/([^/?#]+)$/i.exec(origin.toLowerCase()) ?? [];
    const host = request.headers.host?.toLowerCase();
    if (authority !== undefined && authority === host && this.isSchemeOurs(scheme!, host)) return null;
    return refuse(403, 'Forbidden', 'The request was made by a page of another origin.');
  }

  /** A listener without TLS may stand behind a proxy that speaks it, under a name of `hosts`. */
  private isSchemeOurs(scheme: string, host: string): boolean {
    if (this.isTls) return scheme === 'https';
    return scheme === 'http' || this.named.has(nameOf(host) ?? '');
  }

  private checkToken(request: IncomingMessage): Refusal | null {
    if (this.tokenHash === null) return null;
    if (bears(request, this.tokenHash)) return null;
    return unauthorised('Send the token of `admin.token`: `authorization: Bearer …`.');
  }

  private isOurs(name: string | null, request: IncomingMessage): boolean {
    if (name === null) return false;
    // On 0.0.0.0 each address of the machine is the listener's; a rebound name is never an address.
    return this.hosts.has(name) || name === plainAddress(request.socket.localAddress ?? '');
  }
}

/** Of a change source that events are posted to. */
function checkOwn(request: IncomingMessage, token: string): Refusal | null {
  if (bears(request, hash(token))) return null;
  return unauthorised('Send the token of the source: `authorization: Bearer …`.');
}

function bears({ headers }: IncomingMessage, tokenHash: Buffer): boolean {
  const given = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(hash(given), tokenHash);
}

function unauthorised(detail: string): Refusal {
  const headers = { 'www-authenticate': 'Bearer realm="tidegate admin"' };
  return { ...refuse(401, 'Unauthorized', detail), headers };
}

/** Methods that change nothing. */
export const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a form can send without asking first is never JSON. */
function checkType(request: IncomingMessage): Refusal | null {
  if (SAFE.has(request.method ?? '')) return null;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type !== 'application/json' && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\+json$/.test(type))
    return unsupported('Send `content-type: application/json`, or another type that ends in +json.');
  const coding = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (coding === '' || coding === 'identity') return null;
  // RFC 9110 §12.5.3: what it says here is of requests.
  return {
    ...unsupported('Send the JSON as it is, without a coding.'),
    headers: { 'accept-encoding': 'identity' },
  };
}

function unsupported(detail: string): Refusal {
  return refuse(415, 'Unsupported Media Type', detail);
}

/** Node takes the first of several; whoever stands before it may take the last. */
function hostLines({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
}

function refuse(status: Refusal['status'], title: string, detail: string): Refusal {
  return { status, title, detail };
}

/** The name in a Host, in lower case, without port and brackets; null if it is none. */
function nameOf(host: string): string | null {
  const found = /^(\[[0-9a-f:.]+\]|[^:@/\s[\]]+)(?::\d{1,5})?$/i.exec(host);
  return found === null ? null : bare(found[1]!.toLowerCase());
}

function bare(host: string): string {
  return spelled(
    host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/^([^:]+):\d+$/, '$1'),
  );
}

/** An address of IPv6 in its one spelling; all else as it is. */
function spelled(name: string): string {
  if (isIP(name) !== 6) return name;
  return plainAddress(new SocketAddress({ address: name, family: 'ipv6' }).address);
}

/** Of a socket: without its zone, which no Host may hold (RFC 9844), and IPv4 as such. */
function plainAddress(address: string): string {
  const [plain = ''] = address.split('%', 1);
  return /^::ffff:\d+\./.test(plain) ? plain.slice(7) : plain;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
