import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { AcmeError, type HostCertificate } from './contract.ts';

/** A certificate with what is to be known of it; dates in milliseconds since 1970. */
export interface StoredCertificate extends HostCertificate {
  readonly from: number;
  readonly until: number;
  readonly issuer: string;
}

const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:EC |RSA )?PRIVATE KEY-----\n?/;

/** As it stands in a file: the key, then the chain. */
export function textOf({ cert, key }: HostCertificate): string {
  return `${key.trimEnd()}\n${cert.trimEnd()}\n`;
}

export function readStored(host: string, text: string): StoredCertificate {
  return examine({ host, key: KEY.exec(text)?.[0] ?? '', cert: text.replace(KEY, '') });
}

/** Rejects what could not be shown to clients of this host. */
export function examine({ host, cert, key }: HostCertificate): StoredCertificate {
  const unusable = (why: string) => new AcmeError(`the certificate can't be used: ${why}`);
  let own: X509Certificate;
  try {
    own = new X509Certificate(cert);
    if (!own.checkPrivateKey(createPrivateKey(key))) throw unusable('the key is that of another');
    createSecureContext({ cert, key });
  } catch (error) {
    throw error instanceof AcmeError ? error : unusable((error as Error).message);
  }
  if (own.checkHost(host, { subject: 'never' }) === undefined) throw unusable(`it is not for ${host}`);
  return {
    host,
    cert,
    key,
    from: Date.parse(own.validFrom),
    until: Date.parse(own.validTo),
    issuer: own.issuer.replaceAll('\n', ', '),
  };
}
