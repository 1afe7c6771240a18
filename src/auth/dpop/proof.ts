import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Value } from '../../expression/index.ts';
import { fits, isSignature } from '../jwt/signature.ts';
import { readToken, type Token } from '../jwt/token.ts';

/** Algorithms that a proof may be signed by (RFC 9449 §4.2: never symmetric), as a challenge names them. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** How old a proof may be, and how far the clocks of client and gateway may differ; ms. */
const PROOF_AGE = 60_000;
const SKEW = 5_000;
/** Longer proofs, and longer names of them, are no good, and not looked at. */
const LONGEST = 8 * 1024;
const LONGEST_ID = 256;

/** What a request shows, against which a proof is held. */
export interface Shown {
  readonly method: string;
  /** Scheme, host in lower case with a port that is not the usual one, and normalised path. */
  readonly url: string;
  readonly token: string;
  /** RFC 7638 thumbprint of the key that the token is bound to. */
  readonly thumbprint: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A proof that holds, but for being the only one of its name. `until`: ms since 1970 at which it counts no more. */
export interface Proved {
  readonly id: string;
  readonly until: number;
}

/** Does a proof show that whoever sends this request has the key? A text says why not (RFC 9449 §4.3). */
export function judgeProof(
  text: string,
  shown: Shown,
  normalise: (url: string) => string | null,
): Proved | string {
  const proof = text.length > LONGEST ? null : readToken(text);
  if (proof === null) return 'the proof is no signed token';
  const flaw = headerFlaw(proof) ?? claimsFlaw(proof, shown, normalise);
  if (flaw !== null) return flaw;
  const key = keyOf(proof.header.get('jwk') as ReadonlyMap<Value, Value>, shown.thumbprint);
  if (typeof key === 'string') return key;
  const algorithm = proof.header.get('alg') as string;
  if (!isSignature(algorithm, key, proof.signed, proof.signature))
    return "the proof's signature is not right";
  const id = proof.claims.get('jti') as string;
  return { id, until: issuedAt(proof)! + PROOF_AGE };
}

function headerFlaw({ header }: Token): string | null {
  const type = header.get('typ');
  if (typeof type !== 'string' || type.toLowerCase() !== 'dpop+jwt') return 'the proof is of another typ';
  const algorithm = header.get('alg');
  if (typeof algorithm !== 'string' || !(PROOF_ALGORITHMS as readonly string[]).includes(algorithm))
    return 'the algorithm of the proof is not taken here';
  if (header.has('crit')) return 'the proof has extensions that must be understood (crit)';
  const jwk = header.get('jwk');
  if (!(jwk instanceof Map)) return 'the proof shows no key (jwk)';
  if (jwk.has('d') || jwk.has('k')) return 'the proof shows a private or symmetric key';
  const { kty, crv } = Object.fromEntries([...jwk]) as { kty?: unknown; crv?: unknown };
  if (typeof kty !== 'string' || !fits(algorithm, kty, typeof crv === 'string' ? crv : null))
    return 'the key of the proof does not fit its algorithm';
  return null;
}

function claimsFlaw(proof: Token, shown: Shown, normalise: (url: string) => string | null): string | null {
  const { claims } = proof;
  const id = claims.get('jti');
  if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID)
    return 'the proof has no usable name (jti)';
  if (claims.get('htm') !== shown.method) return 'the proof is of another method (htm)';
  const url = claims.get('htu');
  if (typeof url !== 'string' || normalise(url) !== shown.url) return 'the proof is of another address (htu)';
  const at = issuedAt(proof);
  if (at === null) return 'the proof does not say when it was made (iat)';
  if (at > shown.now + SKEW) return 'the time of the proof has not come (iat)';
  if (shown.now > at + PROOF_AGE) return 'the proof is too old (iat)';
  if (claims.get('ath') !== hash('sha256', shown.token, 'base64url'))
    return 'the proof is of another token (ath)';
  return null;
}

function issuedAt({ claims }: Token): number | null {
  const at = claims.get('iat');
  return typeof at === 'bigint' || typeof at === 'number' ? Number(at) * 1000 : null;
}

/** Keys that were read, by their thumbprint: a client signs all its proofs with one. */
const keys = new Map<string, KeyObject>();
const MOST_KEYS = 1000;
const LEAST_RSA_BITS = 2048;

function keyOf(jwk: ReadonlyMap<Value, Value>, thumbprint: string): KeyObject | string {
  if (thumbprintOf(jwk) !== thumbprint) return 'the token is bound to another key';
  const known = keys.get(thumbprint);
  if (known !== undefined) return known;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Object.fromEntries(jwk) as JsonWebKey, format: 'jwk' });
  } catch {
    return 'the key of the proof is malformed';
  }
  const { modulusLength = LEAST_RSA_BITS } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < LEAST_RSA_BITS) return 'the key of the proof is weak';
  if (keys.size >= MOST_KEYS) keys.clear();
  keys.set(thumbprint, key);
  return key;
}

/** Members that make a key what it is, in the order of RFC 7638 §3.2. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/** RFC 7638 §3 with SHA-256, base64url; null: this is no public key. */
function thumbprintOf(jwk: ReadonlyMap<Value, Value>): string | null {
  const names = REQUIRED[String(jwk.get('kty'))];
  if (names === undefined || names.some((name) => typeof jwk.get(name) !== 'string')) return null;
  const members = Object.fromEntries(names.map((name) => [name, jwk.get(name)]));
  return hash('sha256', JSON.stringify(members), 'base64url');
}
