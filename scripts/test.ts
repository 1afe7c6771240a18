/**
 * `npm test`: every check, then every test; `npm test -- PATTERN` runs the tests whose file or name fits alone.
 * The last line counts both: `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { checkImports } from './imports.ts';
import { ensurePostgres, ensureRedis } from './servers.ts';
import { command, step } from './steps.ts';

const bin = 'node_modules/.bin';
const report = '.cache/vitest.json';
const longestRun = 18 * 60_000;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function checks(): Promise<boolean[]> {
  return [
    await step('format and lint', () => command(`${bin}/biome`, ['check', '--error-on-warnings', '.'])),
    await step('types', () => command(`${bin}/tsc`, ['-p', '.', '--noEmit'])),
    await step('types of the dashboard', () => command(`${bin}/tsc`, ['-p', 'dashboard', '--noEmit'])),
    await step('import direction', async () => checkImports('src')),
    await step('PostgreSQL at hand', ensurePostgres),
    await step('Redis at hand', ensureRedis),
  ];
}

/** A pattern names files if any fits, else tests. */
function selection(patterns: string[]): string[] {
  const files = globSync('{src,test}/**/*.test.ts');
  const [pattern] = patterns;
  if (pattern === undefined || patterns.some((wanted) => files.some((file) => file.includes(wanted))))
    return patterns;
  return ['--testNamePattern', patterns.join(' ')];
}

function runVitest(patterns: string[]): Promise<boolean> {
  mkdirSync('.cache', { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(`${bin}/vitest`, ['run', ...reporters, ...selection(patterns)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: longestRun,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0));
  });
}

/** A run that broke down without a failing test (an error outside of tests, no report) counts as one failure. */
function counts(ok: boolean): Counts {
  const read = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    read.passed = result.numPassedTests;
    read.failed = result.numFailedTests;
    read.skipped = result.numPendingTests + result.numTodoTests;
  } catch {
    console.log(`The tests left no report in ${report}: they were ended early.`);
  }
  if (!ok && read.failed === 0) read.failed = 1;
  return read;
}

const patterns = process.argv.slice(2);
const checked = patterns.length === 0 ? await checks() : [];
const total = counts(await runVitest(patterns));
for (const passed of checked) {
  if (passed) total.passed++;
  else total.failed++;
}
const skipped = patterns.length === 0 && total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;
