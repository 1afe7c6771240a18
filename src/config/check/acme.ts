import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ConfigFiles } from '../files.ts';
import { ACME_STORAGE, acmeChallenge, hasPlainListener, listenersOf } from '../normalise/index.ts';
import { type AcmeInput, type ConfigInput, parseAddress } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

/** Certificates that the gateway gets by itself: can the authority ask, can they be kept, who asks for whom. */
export function checkAcme(input: ConfigInput, files: ConfigFiles, findings: Findings): void {
  const isList = Array.isArray(input.listen);
  const askedBy = new Map<string, { authority: string; path: Path }>();
  for (const [index, { address, tls }] of listenersOf(input.listen).entries()) {
    if (tls?.acme === undefined) continue;
    const path: Path = [...(isList ? ['listen', index] : ['listen']), 'tls', 'acme'];
    checkReached(input, tls.acme, address, path, findings);
    checkStorage(tls.acme, files, path, findings);
    checkHosts(tls.acme, path, askedBy, findings);
  }
}

/** Authorities ask on ports 80 and 443 alone; something in front may bring that here. */
function checkReached(
  { listen }: ConfigInput,
  acme: AcmeInput,
  address: string | undefined,
  path: Path,
  findings: Findings,
): void {
  const plain = listenersOf(listen).filter(({ tls }) => tls === undefined);
  if (acmeChallenge(acme, hasPlainListener(listen)) === 'http-01') {
    if (plain.some((one) => portOf(one.address) === 80)) return;
    const message = 'the authority asks on port 80, where no listener without TLS is';
    const advice =
      'add { name: plain, address: 0.0.0.0:80 } to listen, or see to it that port 80 of the hosts leads to a listener without TLS';
    findings.warning('TG_CONFIG_ACME', path, message, advice);
  } else if (portOf(address) !== 443) {
    const message = 'the authority asks on port 443, and this listener is on another port';
    const advice =
      'see to it that port 443 of the hosts leads here, TLS untouched; or add a listener without TLS on port 80, and say challenge: http-01';
    findings.warning('TG_CONFIG_ACME', path, message, advice);
  }
}

function portOf(address: string | undefined): number | null {
  return address ? parseAddress(address).port : null;
}

function checkStorage(
  { storage = ACME_STORAGE }: AcmeInput,
  files: ConfigFiles,
  path: Path,
  findings: Findings,
): void {
  const at: Path = [...path, 'storage'];
  const folder = resolve(files.folder, storage);
  if (!files.mayWrite(storage))
    return findings.error(
      'TG_CONFIG_FILE',
      at,
      `the folder ${storage} is not one that the file of the config names`,
      'name it in the file of the config',
    );
  const trouble = troubleOf(folder);
  if (trouble === null) return;
  findings.warning(
    'TG_CONFIG_ACME',
    at,
    `certificates can not be kept in ${folder}: ${trouble}`,
    'no certificate is asked for that could not be kept; name a folder that lasts and that the gateway may write to',
  );
}

/** Of the folder, or of the one in which it would be made. */
function troubleOf(folder: string): string | null {
  try {
    if (!statSync(folder).isDirectory()) return 'it is no folder';
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && folder !== dirname(folder)) return troubleOf(dirname(folder));
    if (code === 'ENOTDIR') return 'what stands above it is no folder';
    return 'it may not be written to';
  }
}

/** A host has one certificate, whichever listener shows it. */
function checkHosts(
  { hosts, ...rest }: AcmeInput,
  path: Path,
  askedBy: Map<string, { authority: string; path: Path }>,
  findings: Findings,
): void {
  const authority = JSON.stringify(rest);
  // What can be no host name has left a gap.
  const names = [hosts ?? []].flat().filter((name) => name !== undefined);
  for (const host of new Set(names.map((name) => name.toLowerCase()))) {
    const first = askedBy.get(host);
    if (first === undefined) askedBy.set(host, { authority, path });
    else if (first.authority !== authority)
      findings.error(
        'TG_CONFIG_CONFLICT',
        path,
        `"${host}" is asked for twice, with different words`,
        'say the same of acme on both listeners: a host has one certificate',
        { also: { path: [...first.path], atKey: false } },
      );
  }
}
