import { timingSafeEqual } from 'node:crypto';
import type { Value } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';

/** SHA-256 of a certificate, 43 characters of base64url. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * Why a token must not count, whoever shows it: it is bound to a key (RFC 9449 §7.1), or to something that can't be
 * checked here. Null where it is bound to nothing, or to a certificate (RFC 8705 §3), which `certificateFlaw` looks at.
 */
export function bindingFlaw(claims: ReadonlyMap<Value, Value>): string | null {
  const type = claims.get('token_type');
  if (typeof type === 'string' && type.toLowerCase() === 'dpop') return 'the token is bound to a key (DPoP)';
  if (!claims.has('cnf') || boundTo(claims) !== null) return null;
  return 'the token is bound to a key or certificate that was not shown';
}

/** The thumbprint of the one certificate that a token may be shown with; null: it says none, or more than that. */
export function boundTo(claims: ReadonlyMap<Value, Value>): string | null {
  const cnf = claims.get('cnf');
  if (!(cnf instanceof Map) || cnf.size !== 1) return null;
  const thumbprint = cnf.get('x5t#S256');
  return typeof thumbprint === 'string' && THUMBPRINT.test(thumbprint) ? thumbprint : null;
}

/** Why a token does not count on this connection; null: it does. Asked for each request, also of kept decisions. */
export function certificateFlaw(thumbprint: string | null | undefined, { origin }: Exchange): string | null {
  if (thumbprint == null) return null;
  if (origin.certificate === undefined) return 'the token is bound to a certificate, and none was shown';
  const wanted = Buffer.from(thumbprint, 'base64url');
  const { fingerprint } = origin.certificate;
  return wanted.length === fingerprint.length && timingSafeEqual(wanted, fingerprint)
    ? null
    : 'the token is bound to another certificate';
}
