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
    (tls?.certificates ?? []).map(({ cert }) => ({ listener, ...readCertificate(cert) })),
  );
}

function readCertificate(pem: string): { name: string; until: number } {
  const { subjectAltName = '', subject, validTo } = new X509Certificate(pem);
  const name = /(?:DNS|IP Address):([^,]+)/.exec(subjectAltName)?.[1] ?? /CN=(.+)/.exec(subject)?.[1];
  return { name: name ?? '(none)', until: Date.parse(validTo) };
}
