import type { Exchange } from '../http/exchange.ts';
import { AMBIGUOUS, type Credential, type Decision, type Place } from './contract.ts';
import { readPlaces } from './places.ts';

/** Tokens that are longer are no good, and not looked at. */
const LONGEST = 16 * 1024;

/** A bearer token (RFC 6750 §2.1), or what stands where `from` says. */
export function readBearer(
  places: readonly Place[],
  exchange: Exchange,
): Credential | typeof AMBIGUOUS | null {
  const found = readPlaces(places, exchange);
  if (found === null || found === AMBIGUOUS) return found;
  const { place, value } = found;
  if (value.startsWith('Bearer ') && value.charCodeAt(7) !== 0x20) return { place, value: value.slice(7) };
  const token = withoutScheme(value, 'bearer');
  if (token !== null) return { place, value: token };
  const proved = withoutScheme(value, 'dpop');
  if (proved !== null) return { place, value: proved, dpop: true };
  return place.in === 'header' && place.name === 'authorization' ? null : found;
}

/** Does anything stand there, of whatever scheme? */
export function isAddressed(places: readonly Place[], exchange: Exchange): boolean {
  return readPlaces(places, exchange) !== null;
}

/** Schemes are compared without case (RFC 9110 §11.1). */
function withoutScheme(value: string, scheme: 'bearer' | 'dpop'): string | null {
  const { length } = scheme;
  if (value.charCodeAt(length) !== 0x20 || value.slice(0, length).toLowerCase() !== scheme) return null;
  return value.slice(length + 1).trimStart();
}

/** Why a text can't be a token; null where it can. It is never sent to anybody then. */
export function tokenFlaw(token: string): string | null {
  if (token.length === 0) return 'the token is empty';
  if (token.length > LONGEST) return `the token is longer than ${LONGEST} bytes`;
  return /^[\x21-\x7e]+$/.test(token) ? null : 'the token holds blanks, or bytes that are no visible ASCII';
}

export const refused = (why: string): Decision => ({ kind: 'refused', status: 401, why });

/** The challenge of everything that takes bearer tokens (RFC 6750 §3). */
export const BEARER = { scheme: 'Bearer', params: [['realm', 'tidegate']] } as const;
