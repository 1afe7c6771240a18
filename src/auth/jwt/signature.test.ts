import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, compactVerify, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { fits, isSignature } from './signature.ts';

const SECRET = Buffer.from(
  'a secret that is long enough for the longest of the three digests, which has 64 bytes',
);

interface Pair {
  readonly signer: Parameters<CompactSign['sign']>[0];
  readonly verifier: KeyObject;
}

async function pairFor(alg: string): Promise<Pair> {
  if (alg.startsWith('HS')) return { signer: SECRET, verifier: createSecretKey(SECRET) };
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const key = (await exportJWK(publicKey)) as JsonWebKey;
  return { signer: privateKey, verifier: createPublicKey({ key, format: 'jwk' }) };
}

describe('signatures', () => {
  it.each([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
    'HS256',
    'HS384',
    'HS512',
  ])('of %s are judged as jose judges them, whichever bit is changed', async (alg) => {
    const { signer, verifier } = await pairFor(alg);
    const token = await new CompactSign(Buffer.from('{"sub":"alice"}'))
      .setProtectedHeader({ alg })
      .sign(signer);
    const [head, body, signature] = token.split('.') as [string, string, string];
    const text = Buffer.from(`${head}.${body}`);
    const bytes = Buffer.from(signature, 'base64url');
    expect(isSignature(alg, verifier, text, bytes)).toBe(true);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length * 8 - 1),
        fc.constantFrom('flip', 'cut', 'pad'),
        async (bit, how) => {
          const changed = change(bytes, bit, how);
          const theirs = await compactVerify(
            `${head}.${body}.${changed.toString('base64url')}`,
            alg.startsWith('HS') ? SECRET : verifier,
          ).then(
            () => true,
            () => false,
          );
          expect(isSignature(alg, verifier, text, changed)).toBe(theirs);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('of one kind of key are never looked for under another', () => {
    expect(fits('HS256', 'RSA', null)).toBe(false);
    expect(fits('RS256', 'oct', null)).toBe(false);
    expect(fits('ES256', 'EC', 'P-384')).toBe(false);
    expect(fits('ES256', 'EC', null)).toBe(false);
    expect(fits('none', 'oct', null)).toBe(false);
    expect(fits('ES256', 'EC', 'P-256')).toBe(true);
  });
});

function change(bytes: Buffer, bit: number, how: string): Buffer {
  if (how === 'cut') return bytes.subarray(0, bit >> 3);
  if (how === 'pad') return Buffer.concat([bytes, Buffer.from([bit & 255])]);
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
