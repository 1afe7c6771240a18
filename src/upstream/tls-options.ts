import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ServiceConfig } from '../config/model.ts';

/**
 * The server's name and the check of its certificate go by the name in `url`, unless `tls` says otherwise.
 *
 * @param protocol The only one that is offered (RFC 7301).
 */
export function tlsOptions(
  { tls }: Pick<ServiceConfig, 'tls'>,
  host: string,
  protocol: 'http/1.1' | 'h2' = 'http/1.1',
): ConnectionOptions {
  const name = tls.serverName ?? host;
  return {
    // No name is sent for an address (RFC 6066 §3); the certificate is then checked against the address.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify,
    ALPNProtocols: [protocol],
    minVersion: 'TLSv1.2',
  };
}
