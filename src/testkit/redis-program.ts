import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const FOLDERS = ['/usr/bin', '/usr/sbin', '/opt/homebrew/bin', '/usr/local/bin'];

/** The program that serves Redis's protocol, or nothing. */
export function findRedis(): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const programs = [...path, ...FOLDERS].flatMap((folder) =>
    ['redis-server', 'valkey-server'].map((name) => join(folder, name)),
  );
  return programs.find((program) => existsSync(program));
}

let told = false;

/** Are tests that need Redis to be skipped? Says so once. `describe.skipIf(noRedis())`. */
export function noRedis(): boolean {
  if (findRedis() !== undefined) return false;
  if (!told) console.log('No redis-server or valkey-server on the PATH: tests that need one are skipped.');
  told = true;
  return true;
}
