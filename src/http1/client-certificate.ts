import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../http/exchange.ts';

/** What a client showed in its handshake; null: nothing. `authorized` says whether it counts. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : readCertificate(certificate);
}

function readCertificate(certificate: X509Certificate): ClientCertificate {
  const names = attributes(certificate.subject)
    .filter(([type]) => type === 'CN')
    .map(([, value]) => value);
  return {
    // Of two names nobody can say which one counts.
    name: names.length === 1 ? names[0]! : null,
    subject: distinguished(certificate.subject),
    issuer: distinguished(certificate.issuer),
    alternative: alternativeNames(certificate.subjectAltName ?? ''),
    fingerprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex'),
    validTo: Date.parse(certificate.validTo),
  };
}

/** Node writes one attribute a line, the least specific first. */
function attributes(text: string | undefined): [type: string, value: string][] {
  return (text ?? '')
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
}

function distinguished(text: string | undefined): string {
  return attributes(text)
    .reverse()
    .map(([type, value]) => `${type}=${escaped(value)}`)
    .join(',');
}

/** RFC 4514 §2.4: so that no value can pass for two attributes. */
function escaped(value: string): string {
  return value.replaceAll(/[",+;<>\\]|^[ #]| $/g, '\\$&');
}

const KINDS: Readonly<Record<string, string>> = {
  DNS: 'dns',
  URI: 'uri',
  email: 'email',
  'IP Address': 'ip',
};

/** `DNS:a, URI:b, …`; Node quotes as JSON what holds a comma or the like (CVE-2021-44532). */
function alternativeNames(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = { dns: [], uri: [], email: [], ip: [] };
  for (const [, kind, quoted, plain] of text.matchAll(
    /(?:^|, )([A-Za-z ]+):(?:"((?:[^"\\]|\\.)*)"|([^,]*))/g,
  )) {
    const list = found[KINDS[kind!] ?? ''];
    if (list !== undefined) list.push(quoted === undefined ? plain! : (JSON.parse(`"${quoted}"`) as string));
  }
  return found;
}
