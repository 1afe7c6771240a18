import type { AcmeConfig } from '../model.ts';
import type { AcmeInput } from '../schema/types.ts';
import { listOf } from './scalars.ts';

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
/** Beside the config. */
export const ACME_STORAGE = 'acme';

export interface AcmeReading {
  pem(pathOrPem: string): string;
  /** Absolute, from one that may be relative to the config's folder. */
  path(given: string): string;
}

/** @param plainListener Is there a listener without TLS, at which an authority could ask? */
export function acmeOf(input: AcmeInput, plainListener: boolean, read: AcmeReading): AcmeConfig {
  return {
    email: input.email,
    hosts: [...new Set(listOf(input.hosts).map((host) => host.toLowerCase()))],
    directory: input.directory ?? LETS_ENCRYPT,
    storage: read.path(input.storage ?? ACME_STORAGE),
    challenge: acmeChallenge(input, plainListener),
    ca: input.ca === undefined ? null : read.pem(input.ca),
    eab: input.eab === undefined ? null : { kid: input.eab.kid, key: input.eab.key },
  };
}

export function acmeChallenge({ challenge }: AcmeInput, plainListener: boolean): AcmeConfig['challenge'] {
  return (challenge as AcmeConfig['challenge'] | undefined) ?? (plainListener ? 'http-01' : 'tls-alpn-01');
}
