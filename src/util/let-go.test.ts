import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/**
 * Bytes by which the old space grows while 50,000 items of some 300 bytes come and go, 64 at a time, if nothing but
 * small collections follow a full one.
 */
function growth(module: string, made: string, comes: string, leaves: string): number {
  const script = `
import v8 from 'node:v8';
import { ${made} } from '${new URL(module, import.meta.url).href}';
const all = new ${made}();
const used = () => v8.getHeapSpaceStatistics().find((one) => one.space_name === 'old_space').space_used_size;
const here = [];
let made = 0;
function churn(count) {
  for (let i = 0; i < count; i++) {
    const item = { key: 'key ' + made++, hash: 0, below: null, after: null, before: null, more: Array(20).fill(i) };
    here.push(item);
    all.${comes}(item);
    if (here.length > 64) all.${leaves}(here.shift());
  }
}
churn(5000);
gc();
const before = used();
for (let round = 0; round < 50; round++) {
  churn(1000);
  gc({ type: 'minor' });
}
console.log(used() - before);`;
  const flags = ['--expose-gc', '--no-allocation-site-pretenuring', '--no-warnings', '--input-type=module'];
  return Number(
    execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8', timeout: 30_000 }),
  );
}

it.each([
  ['a list', './linked-list.ts', 'LinkedList', 'push', 'remove'],
  ['an index', './key-index.ts', 'KeyIndex', 'add', 'remove'],
])('what has left %s is let go of by small collections', (_, module, made, comes, leaves) => {
  // A Set and a Map keep all that was in them since the full one: 18 MB.
  expect(growth(module, made, comes, leaves)).toBeLessThan(4_000_000);
});
