import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** How an algorithm of RFC 7518 §3.1 and RFC 8037 is checked. */
interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** Of an elliptic curve key; null: any. */
  readonly curves: readonly string[] | null;
  readonly digest: string | null;
  readonly kind: 'pkcs1' | 'pss' | 'ecdsa' | 'eddsa' | 'hmac';
}

const rsa = (bits: number, kind: 'pkcs1' | 'pss'): Algorithm => ({
  kty: 'RSA',
  curves: null,
  digest: `sha${bits}`,
  kind,
});
const ecdsa = (bits: number, curve: string): Algorithm => ({
  kty: 'EC',
  curves: [curve],
  digest: `sha${bits}`,
  kind: 'ecdsa',
});
const hmac = (bits: number): Algorithm => ({ kty: 'oct', curves: null, digest: `sha${bits}`, kind: 'hmac' });

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', rsa(256, 'pkcs1')],
  ['RS384', rsa(384, 'pkcs1')],
  ['RS512', rsa(512, 'pkcs1')],
  ['PS256', rsa(256, 'pss')],
  ['PS384', rsa(384, 'pss')],
  ['PS512', rsa(512, 'pss')],
  ['ES256', ecdsa(256, 'P-256')],
  ['ES384', ecdsa(384, 'P-384')],
  ['ES512', ecdsa(512, 'P-521')],
  ['EdDSA', { kty: 'OKP', curves: ['Ed25519', 'Ed448'], digest: null, kind: 'eddsa' }],
  ['Ed25519', { kty: 'OKP', curves: ['Ed25519'], digest: null, kind: 'eddsa' }],
  ['HS256', hmac(256)],
  ['HS384', hmac(384)],
  ['HS512', hmac(512)],
]);

/** Can a key of this kind have made a signature of this algorithm? Keys never choose, nor do tokens. */
export function fits(algorithm: string, kty: string, curve: string | null): boolean {
  const known = ALGORITHMS.get(algorithm);
  if (known === undefined || known.kty !== kty) return false;
  return known.curves === null || (curve !== null && known.curves.includes(curve));
}

/** Is this the signature of that text? The key must fit the algorithm. */
export function isSignature(algorithm: string, key: KeyObject, text: Buffer, signature: Buffer): boolean {
  const { kind, digest } = ALGORITHMS.get(algorithm)!;
  switch (kind) {
    case 'pkcs1':
      return verify(digest, text, key, signature);
    case 'pss':
      return verify(
        digest,
        text,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
        signature,
      );
    case 'ecdsa':
      return verify(digest, text, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'eddsa':
      return verify(null, text, key, signature);
    case 'hmac': {
      const mac = createHmac(digest!, key).update(text).digest();
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
  }
}
