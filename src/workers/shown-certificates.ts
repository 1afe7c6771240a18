import { X509Certificate } from 'node:crypto';
import type { GatewayConfig } from '../config/model.ts';

/** A certificate that clients are shown. */
export interface ShownCertificate {
  /** `(admin)` for the admin listener. */
  readonly listener: string;
  /** The first name it is for. */
  readonly name: string;
  /** When it runs out, milliseconds since 1970; null: there is none yet. */
  readonly until: number | null;
}

/** Those that stand in files. */
export function certificatesOfFiles({ listen, admin }: GatewayConfig): ShownCertificate[] {
  const listeners = [...listen, ...(admin === null ? [] : [{ name: '(admin)', tls: admin.tls }])];
  return listeners.flatMap(({ name: listener, tls }) =>
    soonest((tls?.certificates ?? []).map(({ cert }) => readCertificate(cert))).map((shown) => ({
      listener,
      ...shown,
    })),
  );
}

/** Of several for one name (keys of RSA and of ECDSA) the one that runs out first. */
function soonest(certificates: readonly { name: string; until: number }[]) {
  const inOrder = certificates.toSorted((a, b) => b.until - a.until);
  return [...new Map(inOrder.map((certificate) => [certificate.name, certificate])).values()];
}

function readCertificate(pem: string): { name: string; until: number } {
  const { subjectAltName = '', subject, validTo } = new X509Certificate(pem);
  const name = /(?:DNS|IP Address):([^,]+)/.exec(subjectAltName)?.[1] ?? /CN=(.+)/.exec(subject)?.[1];
  return { name: name ?? '(none)', until: Date.parse(validTo) };
}
