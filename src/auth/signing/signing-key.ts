import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';

/** A key that the gateway signs with. */
export interface SigningKey {
  /** The thumbprint of its public half (RFC 7638), so that equal keys have equal names on every node. */
  readonly kid: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly privateKey: KeyObject;
  /** As an entry of a JWK set (RFC 7517). */
  readonly jwk: Readonly<Record<string, string>>;
}

/**
 * A private key in PEM: Ed25519 signs as EdDSA, P-256 as ES256.
 *
 * @throws Error that says what is wrong with it
 */
export function signingKeyFromPem(pem: string): SigningKey {
  return signingKey(createPrivateKey(pem));
}

/** An Ed25519 key that everyone with the same secret finds for the same period, so that nothing has to be handed on. */
export function derivedKey(secret: string, period: number): SigningKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', `tidegate signing key ${period}`, 32));
  const der = Buffer.concat([ED25519_PKCS8, seed]);
  return signingKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 §7). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKey(privateKey: KeyObject): SigningKey {
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const alg = crv === 'Ed25519' ? 'EdDSA' : crv === 'P-256' ? 'ES256' : null;
  if (alg === null || kty === undefined || x === undefined)
    throw new Error(
      `a key of type ${privateKey.asymmetricKeyType} cannot sign here: it must be Ed25519 or EC P-256`,
    );
  const members = y === undefined ? { crv: crv!, kty, x } : { crv: crv!, kty, x, y };
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  return { kid, alg, privateKey, jwk: { ...members, kid, alg, use: 'sig' } };
}
