import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where systems put servers, beside what the PATH names. */
const FOLDERS = [
  '/usr/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
];

/** The first of these programs that is installed, or nothing. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...FOLDERS];
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Why a test that needs one of these is skipped, in one line; empty where it isn't. */
export function skippedWithout(what: string, ...names: readonly string[]): string {
  return findProgram(...names) === undefined
    ? `skipped: no ${what} on this machine (${names.join(', ')})`
    : '';
}
