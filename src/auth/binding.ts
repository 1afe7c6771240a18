import type { Value } from '../expression/index.ts';

/**
 * Why a token must not count as a bearer's: it is bound to a key (RFC 9449 §7.1) or a certificate (RFC 8705
 * §3) that its bearer has not shown. Null where it is bound to nothing.
 */
export function bindingFlaw(claims: ReadonlyMap<Value, Value>): string | null {
  const type = claims.get('token_type');
  if (typeof type === 'string' && type.toLowerCase() === 'dpop') return 'the token is bound to a key (DPoP)';
  return claims.has('cnf') ? 'the token is bound to a key or certificate that was not shown' : null;
}
