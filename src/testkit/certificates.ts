// The library asks for this polyfill before it is loaded.
import 'reflect-metadata';

import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  type PublicKey,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;

/** PEM text. */
export interface CertificatePair {
  cert: string;
  key: string;
}

export interface LeafOptions {
  /** `server` (default) or `client`. */
  use?: 'server' | 'client';
  /** Already out of date. */
  expired?: boolean;
}

/** Milliseconds since 1970. */
export interface Validity {
  from: number;
  until: number;
}

/** A certificate authority that only this test trusts. */
export class Certificates {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  private readonly authority: X509Certificate;
  private readonly keys: CryptoKeyPair;

  constructor(authority: X509Certificate, keys: CryptoKeyPair) {
    this.authority = authority;
    this.keys = keys;
    this.ca = `${authority.toString('pem')}\n`;
  }

  /** A certificate for these host names and IP addresses; the first is its common name. */
  async leaf(names: readonly string[], options: LeafOptions = {}): Promise<CertificatePair> {
    const keys = await newKeys();
    const usage = options.use === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth;
    const cert = await X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString('hex'),
      subject: `CN=${names[0]}`,
      issuer: this.authority.subject,
      ...validity(options.expired === true ? -2 * HOUR : 24 * HOUR),
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        new SubjectAlternativeNameExtension(names.map(alternativeName)),
      ],
    });
    return { cert: `${cert.toString('pem')}\n`, key: await privatePem(keys) };
  }

  /** A certificate for a key of somebody else, PEM. */
  async certify(publicKey: PublicKey, names: readonly string[], validity: Validity): Promise<string> {
    const cert = await X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString('hex'),
      issuer: this.authority.subject,
      ...dates(validity),
      publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        await AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(names.map(alternativeName), true),
      ],
    });
    return `${cert.toString('pem')}\n`;
  }

  /** An authority below this one; its `ca` is the certificate that this one gave it. */
  async intermediate(validity: Validity): Promise<Certificates> {
    const keys = await newKeys();
    const cert = await X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString('hex'),
      subject: 'CN=Test intermediate',
      issuer: this.authority.subject,
      ...dates(validity),
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: authorityExtensions(),
    });
    return new Certificates(cert, keys);
  }
}

function authorityExtensions() {
  return [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

function dates({ from, until }: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(from), notAfter: new Date(until) };
}

function alternativeName(name: string): { type: 'dns' | 'ip'; value: string } {
  const isAddress = /^[\d.]+$|:/.test(name);
  return { type: isAddress ? 'ip' : 'dns', value: name };
}

function validity(until: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 24 * HOUR), notAfter: new Date(Date.now() + until) };
}

async function newKeys(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
}

async function privatePem(keys: CryptoKeyPair): Promise<string> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return `${PemConverter.encode(key, 'PRIVATE KEY')}\n`;
}

/** Makes a new authority. */
export async function certificates(): Promise<Certificates> {
  const keys = await newKeys();
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: 'CN=Test authority',
    ...validity(24 * HOUR),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: authorityExtensions(),
  });
  return new Certificates(authority, keys);
}
