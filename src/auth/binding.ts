import { timingSafeEqual } from 'node:crypto';
import type { Value } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';

/** SHA-256 of a certificate or key, 43 characters of base64url. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/** With what alone a token counts; each the base64url of a SHA-256. */
export interface Binding {
  /** Of the certificate that its client shows in the TLS handshake (RFC 8705 §3.1). */
  readonly certificate: string | null;
  /** Of the key that its client signs proofs with (RFC 9449 §6). */
  readonly key: string | null;
}

/** Why a token must not count, whoever shows it: it is bound to something that can't be checked here. */
export function bindingFlaw(claims: ReadonlyMap<Value, Value>): string | null {
  const type = claims.get('token_type');
  const binding = bindingOf(claims);
  if (typeof type === 'string' && type.toLowerCase() === 'dpop' && binding?.key == null)
    return 'the token is bound to a key (DPoP), but does not say to which';
  if (!claims.has('cnf') || binding !== null) return null;
  return 'the token is bound to something that can not be checked here';
}

/** What a token is bound to; null: to nothing, or to what can't be checked. */
export function bindingOf(claims: ReadonlyMap<Value, Value>): Binding | null {
  const cnf = claims.get('cnf');
  if (!(cnf instanceof Map) || cnf.size === 0) return null;
  for (const [name, value] of cnf) {
    if (name !== 'x5t#S256' && name !== 'jkt') return null;
    if (typeof value !== 'string' || !THUMBPRINT.test(value)) return null;
  }
  return {
    certificate: (cnf.get('x5t#S256') as string | undefined) ?? null,
    key: (cnf.get('jkt') as string | undefined) ?? null,
  };
}

/**
 * Why a token does not count on this connection; null: it does. Asked for each request, also of kept decisions. What is
 * asked for a client is held against the client's own connection, whatever else is shown of that.
 */
export function certificateFlaw(thumbprint: string | null, exchange: Exchange): string | null {
  if (thumbprint === null) return null;
  const { origin } = exchange.madeFor ?? exchange;
  if (origin.certificate === undefined) return 'the token is bound to a certificate, and none was shown';
  const wanted = Buffer.from(thumbprint, 'base64url');
  const { fingerprint } = origin.certificate;
  return wanted.length === fingerprint.length && timingSafeEqual(wanted, fingerprint)
    ? null
    : 'the token is bound to another certificate';
}
