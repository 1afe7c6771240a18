import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Runs the real command line in a folder, to its end. */
export function tidegate(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { PATH, HOME, ...env } });
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    outcome.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...outcome, code }));
  });
}

/** The same with its outputs on a disk that is full. */
export function tidegateOnFullDisk(
  folder: string,
  args: readonly string[],
  full: 'stdout' | 'both',
): Promise<Omit<Outcome, 'stdout'>> {
  const { PATH = '', HOME = '' } = process.env;
  const disk = openSync('/dev/full', 'w');
  const stdio = ['ignore', disk, full === 'both' ? disk : 'pipe'] as const;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH, HOME },
    stdio: [...stdio],
  });
  closeSync(disk);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ stderr, code }));
  });
}
