import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { metricsTable } from './metrics-page.ts';

const PAGE = new URL('../../../docs/metrics.md', import.meta.url);
const BETWEEN = /(<!-- every metric -->\n)(.*?)(<!-- end -->)/s;

test('docs/metrics.md names every metric', () => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(PAGE, page.replace(BETWEEN, `$1\n${metricsTable()}\n\n$3`));
  const table = BETWEEN.exec(readFileSync(PAGE, 'utf8'))![2]!;
  const plain = (text: string) => text.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-').trim();
  expect(plain(table)).toBe(plain(metricsTable()));
});
