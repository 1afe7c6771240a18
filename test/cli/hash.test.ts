import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const hash = (input: string, ...args: string[]) =>
  spawnSync(process.execPath, [MAIN, 'hash', ...args], { input, encoding: 'utf8' });

describe('hash', () => {
  test('prints what stands for a key in a config', () => {
    const expected = `sha256:${createHash('sha256').update('right').digest('hex')}\n`;
    expect(hash('right', 'key').stdout).toBe(expected);
    expect(hash('right\n', 'key').stdout).toBe(expected);
  });

  test('prints a password as argon2id, another way each time', () => {
    const one = hash('right', 'password').stdout;
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}\n$/);
    expect(hash('right', 'password').stdout).not.toBe(one);
  });

  test('tells what it can hash, and that there must be something', () => {
    expect(hash('x', 'token')).toMatchObject({ status: 2 });
    expect(hash('', 'key')).toMatchObject({ status: 2 });
  });
});
