import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readKeySet } from '../../auth/index.ts';
import type { ConfigFiles } from '../files.ts';
import { certificatesOf } from '../normalise/index.ts';
import type { ConfigInput, ListenerTlsInput, ServiceInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';
import { checkProviderFiles } from './provider-files.ts';

/** Files that the config names: they are there, and what they should be. */
export function checkFiles(input: ConfigInput, files: ConfigFiles, findings: Findings): void {
  const check = new FileCheck(files, findings);
  const listeners = Array.isArray(input.listen) ? input.listen : [input.listen];
  for (const [index, listener] of listeners.entries()) {
    if (typeof listener !== 'object' || listener.tls === undefined) continue;
    const path: Path = Array.isArray(input.listen) ? ['listen', index, 'tls'] : ['listen', 'tls'];
    check.serverTls(listener.tls, path);
  }
  if (typeof input.admin === 'object' && input.admin.tls !== undefined)
    check.serverTls(input.admin.tls, ['admin', 'tls']);
  for (const [name, service] of Object.entries(input.services ?? {})) {
    check.clientTls(service.tls ?? {}, ['services', name, 'tls']);
    check.clientTls(service.discover?.tls ?? {}, ['services', name, 'discover', 'tls']);
  }
  checkProviderFiles(input, check);
  const redis = input.cache?.redis;
  if (typeof redis === 'object' && typeof redis.tls === 'object')
    check.clientTls(redis.tls, ['cache', 'redis', 'tls']);
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const file = route.respond?.file;
    if (file !== undefined) check.bytes(file, ['routes', name, 'respond', 'file']);
  }
}

export class FileCheck {
  private readonly files: ConfigFiles;
  private readonly findings: Findings;

  constructor(files: ConfigFiles, findings: Findings) {
    this.files = files;
    this.findings = findings;
  }

  bytes(path: string, at: Path): Buffer | null {
    const content = this.files.read(path);
    if (typeof content !== 'string') return content;
    const advice = `paths are relative to the config's folder, ${this.files.folder}`;
    this.findings.error('TG_CONFIG_FILE', at, `the file ${path} ${content}`, advice);
    return null;
  }

  /** What a listener shows, and whose certificates it takes. */
  serverTls(tls: ListenerTlsInput, at: Path): void {
    if (tls.acme?.ca !== undefined) this.certificate(tls.acme.ca, [...at, 'acme', 'ca']);
    if (tls.clientCa !== undefined) this.certificate(tls.clientCa, [...at, 'clientCa']);
    const inList = tls.certs !== undefined;
    for (const [place, pair] of certificatesOf(tls).entries())
      if (pair !== undefined) this.pair(pair.cert, pair.key, inList ? [...at, 'certs', place] : at);
  }

  /** What the gateway trusts and shows as a client. */
  clientTls({ ca, cert, key }: NonNullable<ServiceInput['tls']>, at: Path): void {
    if (ca !== undefined) this.certificate(ca, [...at, 'ca']);
    if (cert !== undefined && key !== undefined) this.pair(cert, key, at);
  }

  /** A private key by itself. */
  key(text: string, at: Path): void {
    const pem = this.pem(text, at);
    if (pem !== null) this.privateKey(pem, at);
  }

  /** A JWK set in which at least one key can be used. */
  keySet(path: string, at: Path): void {
    const bytes = this.bytes(path, at);
    if (bytes === null || (readKeySet(bytes.toString('utf8'))?.size ?? 0) > 0) return;
    const advice = 'it must be JSON: { "keys": [ … ] }, with public keys of RSA (2048 bits), EC or Ed25519';
    this.findings.error('TG_CONFIG_AUTH', at, 'this holds no key that tokens can be checked with', advice);
  }

  /** A certificate and the key that belongs to it. */
  pair(cert: string | undefined, key: string | undefined, at: Path): void {
    const certificate = cert === undefined ? null : this.certificate(cert, [...at, 'cert']);
    const pem = key === undefined ? null : this.pem(key, [...at, 'key']);
    if (pem === null) return;
    const privateKey = this.privateKey(pem, [...at, 'key']);
    if (certificate === null || privateKey === null || certificate.checkPrivateKey(privateKey)) return;
    this.findings.error(
      'TG_CONFIG_TLS',
      [...at, 'key'],
      'this key does not belong to the certificate',
      'name the key that the certificate was made with',
      {
        also: { path: [...at, 'cert'], atKey: false },
      },
    );
  }

  certificate(text: string, at: Path): X509Certificate | null {
    const pem = this.pem(text, at);
    if (pem === null) return null;
    try {
      const certificate = new X509Certificate(pem);
      this.warnOfExpiry(certificate, at);
      return certificate;
    } catch {
      const advice = pem.includes('PRIVATE KEY')
        ? 'it holds a private key'
        : 'it must be PEM: -----BEGIN CERTIFICATE-----';
      this.findings.error('TG_CONFIG_TLS', at, 'this holds no certificate that can be read', advice);
      return null;
    }
  }

  private warnOfExpiry(certificate: X509Certificate, at: Path): void {
    if (Date.parse(certificate.validTo) > Date.now()) return;
    this.findings.warning('TG_CONFIG_TLS', at, `this certificate ran out on ${certificate.validTo}`);
  }

  private privateKey(pem: string, at: Path) {
    try {
      return createPrivateKey(pem);
    } catch (error) {
      const encrypted = /ENCRYPTED/.test(pem) || /passphrase/i.test(String((error as Error).message));
      const advice = encrypted
        ? 'it is encrypted; keep it decrypted, readable for the gateway alone'
        : 'it must be PEM: -----BEGIN PRIVATE KEY-----';
      this.findings.error('TG_CONFIG_TLS', at, 'this holds no private key that can be read', advice);
      return null;
    }
  }

  private pem(text: string, at: Path): string | null {
    if (text.includes('-----BEGIN ')) return text;
    return this.bytes(text, at)?.toString('latin1') ?? null;
  }
}
