import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const GUARD = new URL('./young-objects.ts', import.meta.url).href;

/** A list of the last 500: when they are collected they are all there. */
const LAST = `
const last = [];
let next = 0;
function add(number) { last[next] = { number }; next = (next + 1) % 500; }
for (let round = 0; round < 3; round++) {
  for (let i = 0; i < 500; i++) add(i);
  gc({ type: 'minor' });
}`;

/** Does a process that has run this make some objects in the old space from then on? */
function makesOldObjects(code: string): boolean {
  const heap = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
  const flags = [...heap, '--no-opt', '--trace-pretenuring-statistics', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '-e', code], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return output.includes('=> tenure');
}

it('what survives at first is not made in the old space for good, where objects are kept young', () => {
  expect(makesOldObjects(LAST)).toBe(true);
  expect(makesOldObjects(`(await import('${GUARD}')).keepObjectsYoung(); ${LAST}`)).toBe(false);
});
