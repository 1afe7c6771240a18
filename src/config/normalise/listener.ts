import type { AdminConfig, ListenerConfig, ListenerTls } from '../model.ts';
import { parseAddress } from '../schema/address.ts';
import type { AdminInput, AdminTlsInput, ConfigInput, ListenerInput } from '../schema/types.ts';
import { type AcmeReading, acmeOf } from './acme.ts';
import { byteRateOf, countOf, durationOf, listOf, sizeOf } from './scalars.ts';

/** Reads what a config names: the text of a PEM file (or PEM text itself). */
export type ReadPem = (pathOrPem: string) => string;

const DEFAULT_LISTEN = '127.0.0.1:8080';
export const DEFAULT_ADMIN = '127.0.0.1:9901';

/** Listeners as they are written out: each an object with a name. */
export function listenersOf(listen: ConfigInput['listen']): (ListenerInput & { name: string })[] {
  return listOf<string | ListenerInput | undefined>(listen ?? DEFAULT_LISTEN).map((entry, index) => {
    const listener = typeof entry === 'string' ? { address: entry } : (entry ?? { address: '' });
    return { ...listener, name: listener.name ?? defaultName(index) };
  });
}

/** The first listener without a name is `main`. */
function defaultName(index: number): string {
  return index === 0 ? 'main' : `main${index + 1}`;
}

/** Is there one without TLS, at which an authority could ask? */
export function hasPlainListener(listen: ConfigInput['listen']): boolean {
  return listenersOf(listen).some(({ tls }) => tls === undefined);
}

export function normaliseListeners(listen: ConfigInput['listen'], read: AcmeReading): ListenerConfig[] {
  return listenersOf(listen).map((listener) => {
    const { limits = {}, tls } = listener;
    const acme = tls?.acme === undefined ? null : acmeOf(tls.acme, hasPlainListener(listen), read);
    return {
      name: listener.name,
      ...parseAddress(listener.address),
      tls: tls === undefined ? null : { ...normaliseTls(tls, read.pem), acme },
      http2: (listener.http2 as boolean | undefined) ?? listener.tls !== undefined,
      trustedProxies: listOf(listener.trustedProxies),
      limits: {
        uri: sizeOf(limits.uri, 8 * 1024),
        head: sizeOf(limits.head, 32 * 1024),
        headers: countOf(limits.headers, 100),
        body: sizeOf(limits.body, Number.POSITIVE_INFINITY),
        headTimeout: durationOf(limits.headTimeout, 10_000),
        bodyTimeout: durationOf(limits.bodyTimeout, 30_000),
        sendTimeout: durationOf(limits.sendTimeout, 30_000),
        minRate: byteRateOf(limits.minRate),
        idleTimeout: durationOf(limits.idleTimeout, 75_000),
        connectionsPerClient: countOf(limits.connectionsPerClient, Number.POSITIVE_INFINITY),
      },
    };
  });
}

/** The pairs of a TLS listener, whichever way they are written. */
export function certificatesOf(tls: AdminTlsInput): { cert: string; key: string }[] {
  if (tls.certs !== undefined) return tls.certs;
  return tls.cert === undefined || tls.key === undefined ? [] : [{ cert: tls.cert, key: tls.key }];
}

function normaliseTls(tls: AdminTlsInput, readPem: ReadPem): ListenerTls {
  const certificates = certificatesOf(tls).map(({ cert, key }) => ({
    cert: readPem(cert),
    key: readPem(key),
  }));
  const { clientCa, clientAuth = 'required' } = tls;
  return {
    certificates,
    acme: null,
    minVersion: String(tls.minVersion) === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    client:
      clientCa === undefined || clientAuth === 'none'
        ? null
        : { ca: readPem(clientCa), required: clientAuth === 'required' },
  };
}

export function normaliseAdmin(admin: AdminInput | undefined, readPem: ReadPem): AdminConfig | null {
  if (admin === false) return null;
  const {
    address = DEFAULT_ADMIN,
    token = null,
    hosts,
    tls,
    readyPath = null,
  } = typeof admin === 'object' ? admin : { address: admin };
  return {
    ...parseAddress(address),
    token,
    hosts: listOf(hosts),
    tls: tls === undefined ? null : normaliseTls(tls, readPem),
    readyPath,
  };
}
