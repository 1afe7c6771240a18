import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { fits } from './signature.ts';

interface UsableKey {
  readonly kid: string | null;
  /** The one algorithm it is for; null: any that fits. */
  readonly alg: string | null;
  readonly kty: string;
  readonly curve: string | null;
  readonly key: KeyObject;
}

/** NIST SP 800-131A: shorter RSA keys prove nothing any more. */
const LEAST_RSA_BITS = 2048;
const MOST_KEYS = 100;
/** Signatures that are tried for a token that names no key. */
const MOST_TRIED = 10;

/** The keys of a JWK set (RFC 7517 §5) that can be used; weak, symmetric and malformed ones are passed over. */
export class KeySet {
  private readonly keys: readonly UsableKey[];

  constructor(keys: readonly UsableKey[]) {
    this.keys = keys;
  }

  get size(): number {
    return this.keys.length;
  }

  /** Keys that may have signed. One without a kid may be any; a token without a kid may be of any. */
  matching(kid: string | null, algorithm: string): readonly KeyObject[] {
    const found: KeyObject[] = [];
    for (const one of this.keys) {
      if (kid !== null && one.kid !== null && one.kid !== kid) continue;
      if (one.alg !== null && one.alg !== algorithm && !(isEdwards(one.alg) && isEdwards(algorithm)))
        continue;
      if (fits(algorithm, one.kty, one.curve)) found.push(one.key);
      if (found.length === MOST_TRIED) break;
    }
    return found;
  }

  /** Are all keys of this one in the other too? */
  isWithin(other: KeySet): boolean {
    return this.keys.every((one) =>
      other.keys.some(({ kid, key }) => kid === one.kid && key.equals(one.key)),
    );
  }
}

/** RFC 9864 gives EdDSA's most used curve a name of its own. */
const isEdwards = (alg: string) => alg === 'EdDSA' || alg === 'Ed25519';

/** Null: this is no JWK set at all. */
export function readKeySet(text: string): KeySet | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) return null;
  return new KeySet(
    keys
      .slice(0, MOST_KEYS)
      .map(usable)
      .filter((key) => key !== null),
  );
}

export function secretKeySet(secret: string): KeySet {
  return new KeySet([
    { kid: null, alg: null, kty: 'oct', curve: null, key: createSecretKey(Buffer.from(secret)) },
  ]);
}

function usable(jwk: unknown): UsableKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null;
  const { kty, crv, kid, alg, use, key_ops: operations, d } = jwk as Record<string, unknown>;
  // A private key that is published proves nothing; a symmetric one would let everyone sign.
  if (typeof kty !== 'string' || kty === 'oct' || d !== undefined) return null;
  if (use !== undefined && use !== 'sig') return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  if ((kid !== undefined && typeof kid !== 'string') || (alg !== undefined && typeof alg !== 'string'))
    return null;
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    if (isWeak(key)) return null;
    return { kid: kid ?? null, alg: alg ?? null, kty, curve: typeof crv === 'string' ? crv : null, key };
  } catch {
    return null;
  }
}

function isWeak(key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'rsa') return false;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength < LEAST_RSA_BITS || publicExponent < 3n || publicExponent % 2n === 0n;
}
