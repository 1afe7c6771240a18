/**
 * Each file of `config/` is one slip: a config, a line of dashes, and what the user is told. A new case is a
 * new file; `UPDATE_GOLDEN=1` writes down what is told now, for review.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadText, renderIssues } from '../../src/config/index.ts';
import { certificates, type TempFolder, tempFolder } from '../../src/testkit/index.ts';

const CASES = join(import.meta.dirname, 'config');
const SEPARATOR = '----------\n';
const ENV = { CATALOGUE_HOST: '127.0.0.1', DB_PASSWORD: 'hunter2' };

/** What stands in some of the configs, and must not come back. */
const SECRETS = ['hunter2', 's3cr3t', '12345', 'correct horse', 'Bearer abc'];

let folder: TempFolder;

beforeAll(async () => {
  folder = tempFolder();
  mkdirSync(join(folder.path, 'files'));
  folder.write('files/secret.txt', 'correct horse\n');
  writeFileSync(join(folder.path, 'files/bytes'), Buffer.of(0xff, 0xfe));
  const authority = await certificates();
  for (const name of ['site', 'other']) {
    const { cert, key } = await authority.leaf([`${name}.example`]);
    folder.write(`files/${name}.cert.pem`, cert);
    folder.write(`files/${name}.key.pem`, key);
  }
});

afterAll(() => folder.close());

describe('a slip in a config is shown where it stands, with what is wrong and how to mend it', () => {
  test.each(readdirSync(CASES))('%s', (name) => {
    const path = join(CASES, name);
    const [input, expected] = split(readFileSync(path, 'utf8'));
    const told = explain(input, name.endsWith('.json.txt') ? 'tidegate.json' : 'tidegate.yaml');
    for (const secret of SECRETS) expect(told).not.toContain(secret);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, input + SEPARATOR + told);
    else expect(told).toBe(expected);
  });
});

function split(text: string): [string, string] {
  const at = text.indexOf(SEPARATOR);
  return [text.slice(0, at), text.slice(at + SEPARATOR.length)];
}

function explain(input: string, file: string): string {
  const loaded = loadText(input, { file, folder: folder.path, env: ENV });
  const report = renderIssues(loaded.issues, loaded.source, { colour: false });
  return report.replaceAll(folder.path, '/FOLDER');
}
