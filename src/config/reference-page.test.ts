import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { referencePage } from './reference-page.ts';

const PAGE = join(import.meta.dirname, '../../docs/reference.md');

test('docs/reference.md is what the schema says', () => {
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, referencePage());
  expect(readFileSync(PAGE, 'utf8')).toBe(referencePage());
});

test('every key that a service can have stands in it', () => {
  for (const key of ['url', 'retries.budget', 'health.panic', 'breaker.errorRate', 'balance.hash']) {
    expect(referencePage()).toContain(`| \`services.NAME.${key}\` |`);
  }
});
