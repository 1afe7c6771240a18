import type { JwtConfig } from '../../config/model.ts';
import type { Value } from '../../expression/index.ts';
import { bindingFlaw } from '../binding.ts';

type Members = ReadonlyMap<Value, Value>;
type Rules = Pick<JwtConfig, 'issuer' | 'audience' | 'skew' | 'typ' | 'algorithms'>;

/** What access tokens call themselves, and tokens of old (RFC 9068 §2.1, RFC 7519 §5.1). */
const USUAL_TYPES = ['at+jwt', 'jwt'];

/** Why a token can't count by its header, before anything is computed; null where it can. */
export function headerFlaw(header: Members, { algorithms, typ }: Rules): string | null {
  const algorithm = header.get('alg');
  // RFC 8725 §3.1: the config says which algorithms there are, never the token.
  if (typeof algorithm !== 'string' || !algorithms.includes(algorithm))
    return 'its algorithm is not taken here';
  // RFC 7515 §4.1.11: what must be understood, and isn't.
  if (header.has('crit')) return 'it has extensions that must be understood (crit)';
  const kid = header.get('kid');
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is no text';
  return typeFlaw(header.get('typ'), typ);
}

/** RFC 8725 §3.11: tokens made for something else (a logout, a proof) are not taken for access tokens. */
function typeFlaw(given: Value | undefined, wanted: string | null): string | null {
  if (given === undefined) return wanted === null ? null : `its typ is missing, not ${wanted}`;
  if (typeof given !== 'string') return 'its typ is no text';
  const type = given.toLowerCase().replace(/^application\//, '');
  if (wanted === null ? USUAL_TYPES.includes(type) : type === wanted) return null;
  return `its typ is another one`;
}

/** Why its claims don't hold at this time (milliseconds since 1970); null where they do. */
export function claimsFlaw(claims: Members, rules: Rules, now: number): string | null {
  if (rules.issuer !== null && claims.get('iss') !== rules.issuer) return 'it is of another issuer (iss)';
  if (!isFor(claims.get('aud'), rules.audience)) return 'it is meant for others (aud)';
  const subject = claims.get('sub');
  if (typeof subject !== 'string' || subject === '') return 'it names no subject (sub)';
  const { skew } = rules;
  const exp = timeOf(claims.get('exp'));
  if (exp === null) return 'it never ends (exp)';
  if (now >= exp + skew) return 'it ran out (exp)';
  for (const name of ['nbf', 'iat']) {
    if (!claims.has(name)) continue;
    const from = timeOf(claims.get(name));
    if (from === null) return `its ${name} is no number`;
    if (from > now + skew) return `its time has not come (${name})`;
  }
  return bindingFlaw(claims);
}

/** RFC 7519 §4.1.3: one text, or a list of them. */
function isFor(given: Value | undefined, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  if (typeof given === 'string') return wanted.includes(given);
  return (
    Array.isArray(given) &&
    given.every((one) => typeof one === 'string') &&
    given.some((one) => wanted.includes(one as string))
  );
}

/** A NumericDate (RFC 7519 §2) in milliseconds; null where it is none. */
export function timeOf(value: Value | undefined): number | null {
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) * 1000 : null;
}
