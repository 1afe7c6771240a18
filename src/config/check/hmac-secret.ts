import type { ProviderInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

type Jwt = NonNullable<ProviderInput['jwt']>;

/** Bytes that a secret has at least: as many as the hash it is for (RFC 7518 §3.2). */
const LEAST: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** A short secret can be found by trying: one signed token is enough, and nobody notices. */
export function checkSecret({ secret, algorithms = ['HS256'] }: Jwt, path: Path, findings: Findings): void {
  if (typeof secret !== 'string') return;
  const length = Buffer.byteLength(secret);
  const short = algorithms.find((name) => length < (LEAST[String(name)] ?? 0));
  if (short === undefined) return;
  const message = `this secret is short: ${short} wants ${LEAST[short]} bytes at least (RFC 7518 §3.2)`;
  const advice = 'whoever has one token can find it by trying; make a random one: openssl rand -base64 48';
  findings.warning('TG_CONFIG_AUTH', [...path, 'secret'], message, advice);
}
