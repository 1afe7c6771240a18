import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../util/clock.ts';
import type { Authority, HostCertificate } from './contract.ts';
import { FolderLock } from './folder-lock.ts';
import { writePrivate } from './private-file.ts';
import { readStored, type StoredCertificate, textOf } from './stored-certificate.ts';

/**
 * What is kept of an authority: the key of the account, the certificates, and what went wrong of late. One folder for
 * each authority, so that what one gave for a trial is never taken for what another gives.
 */
export class CertificateStore {
  readonly lock: FolderLock;
  private readonly root: string;
  private readonly folder: string;
  private last: Promise<unknown> = Promise.resolve();

  constructor({ storage, directory }: Pick<Authority, 'storage' | 'directory'>, clock: Clock) {
    const { host, pathname, search } = new URL(directory);
    this.root = storage;
    this.folder = join(storage, `${host}${pathname}${search}`.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
    this.lock = new FolderLock(join(this.folder, 'lock'), clock);
  }

  /** Makes the folder, and keeps it out of repositories: it stands beside the config where nothing else is said. */
  async open(): Promise<void> {
    const made = await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const isNew = made !== undefined && made.length <= this.root.length;
    if (isNew) await writeFile(join(this.root, '.gitignore'), '*\n');
  }

  /** Does one thing after the other: an authority is not asked for everything at once. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work);
    this.last = mine.catch(() => {});
    return mine;
  }

  /** Null: there is none. Throws where it can't be read, or is of no use. */
  async read(host: string): Promise<StoredCertificate | null> {
    const text = await readOrNull(this.certificateFile(host));
    return text === null ? null : readStored(host, text);
  }

  async write(certificate: HostCertificate): Promise<void> {
    await writePrivate(this.certificateFile(certificate.host), textOf(certificate));
  }

  /** The key of the account, made where there is none; under the lock only. */
  async accountKey(email: string): Promise<KeyObject> {
    const file = join(this.folder, `account-${email}.pem`);
    const kept = await readOrNull(file);
    if (kept !== null) return createPrivateKey(kept);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writePrivate(file, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    return privateKey;
  }

  /** What an earlier life noted of its failed tries; null: nothing. */
  async readTries(host: string): Promise<string | null> {
    return await readOrNull(this.triesFile(host)).catch(() => null);
  }

  async writeTries(host: string, text: string | null): Promise<void> {
    const file = this.triesFile(host);
    await (text === null ? rm(file, { force: true }) : writePrivate(file, text));
  }

  private certificateFile(host: string): string {
    return join(this.folder, `${host}.pem`);
  }

  private triesFile(host: string): string {
    return join(this.folder, `${host}.tries.json`);
  }
}

const NOT_THERE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}
