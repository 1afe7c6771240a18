// The library asks for this polyfill before it is loaded.
import 'reflect-metadata';

import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  X509Certificate as DecodedCertificate,
  Extension,
  PemConverter,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** id-pe-acmeIdentifier (RFC 8737 §6.1). */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const DAY = 86_400_000;

/** A key of its own, and the request to certify it for a host (RFC 2986). */
export async function certificateRequest(host: string): Promise<{ request: string; key: string }> {
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [nameOf(host)],
  });
  return { request: Buffer.from(request.rawData).toString('base64url'), key: await privatePem(keys) };
}

/** Shows to who asks for `acme-tls/1` that the account is behind a host (RFC 8737 §3). */
export async function proofCertificate(
  host: string,
  authorization: string,
  wall: number,
): Promise<{ cert: string; key: string }> {
  const keys = await newKeys();
  const digest = createHash('sha256').update(authorization).digest();
  const octets = Buffer.concat([Buffer.from([0x04, digest.length]), digest]);
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: 'CN=ACME proof',
    notBefore: new Date(wall - DAY),
    notAfter: new Date(wall + DAY),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [nameOf(host), new Extension(ACME_IDENTIFIER, true, octets)],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await privatePem(keys) };
}

/** How an authority is asked about a certificate it gave (RFC 9773 §4.1); null: it can't be named so. */
export function certificateName(pem: string): string | null {
  const issuer = new DecodedCertificate(pem).getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (issuer === undefined) return null;
  const serial = new X509Certificate(pem).serialNumber;
  return `${base64url(issuer)}.${base64url(integerOf(serial))}`;
}

/** As DER has it: whole bytes, the first bit being the sign. */
function integerOf(hex: string): string {
  const whole = hex.length % 2 === 0 ? hex : `0${hex}`;
  return /^[89a-f]/i.test(whole) ? `00${whole}` : whole;
}

function base64url(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64url');
}

function nameOf(host: string): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension([{ type: 'dns', value: host }]);
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${PemConverter.encode(key, 'PRIVATE KEY')}\n`;
}
