import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STORE_REFUSALS } from '../src/cache/index.ts';

const PAGE = join(import.meta.dirname, '../docs/caching.md');
const USE = join(import.meta.dirname, '../src/cache/policy/use.ts');
const TABLE = /(?<=<!-- refusals -->\n)[\s\S]*?(?=<!-- \/refusals -->)/;

function table(): string {
  const rows = Object.entries(STORE_REFUSALS).map(([word, why]) => [`\`${word}\``, why] as const);
  const [first, second] = [0, 1].map((column) => Math.max(9, ...rows.map((row) => row[column]!.length)));
  const line = (a: string, b: string) => `| ${a.padEnd(first!)} | ${b.padEnd(second!)} |`;
  const lines = rows.map(([word, why]) => line(word, why));
  return `\n${[line('`detail=`', 'why it is not stored'), line('-'.repeat(first!), '-'.repeat(second!)), ...lines].join('\n')}\n\n`;
}

test('docs/caching.md explains every reason for which an answer is not stored', () => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(
      PAGE,
      page.replace(TABLE, () => table()),
    );
  expect(TABLE.exec(readFileSync(PAGE, 'utf8'))?.[0]).toBe(table());
});

test('docs/caching.md explains every detail of how a stored answer was used', () => {
  const details = readFileSync(USE, 'utf8').matchAll(/use\('[\w-]+', (?:null|'[\w-]+'), '([\w-]+)'\)/g);
  const words = new Set([...details].map(([, word]) => word!));
  expect(words.size).toBeGreaterThan(5);
  const page = readFileSync(PAGE, 'utf8');
  expect([...words].filter((word) => !page.includes(`\n| \`${word}\``))).toEqual([]);
});
