import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../http/errors.ts';
import { CONFIG_ERRORS, errorsPage } from './errors-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/errors.md');

test('docs/errors.md is what the table of errors says', () => {
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, errorsPage());
  expect(readFileSync(PAGE, 'utf8')).toBe(errorsPage());
});

test('every error has a section', () => {
  for (const code of Object.keys(ERRORS)) expect(errorsPage()).toContain(`\n### ${code}\n`);
});

test('every code that the checks of a configuration use is explained, and no other', () => {
  const used = new Set<string>();
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.endsWith('errors-page.ts')) continue;
    for (const [code] of readFileSync(join(ROOT, 'src', file), 'utf8').matchAll(
      /(?<=['"`])TG_CONFIG_[A-Z_]+(?=['"`])/g,
    ))
      used.add(code);
  }
  expect([...used].sort()).toEqual(Object.keys(CONFIG_ERRORS).sort());
});
