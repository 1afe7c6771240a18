import { mkdirSync, writeFileSync } from 'node:fs';

export function median(numbers: readonly number[]): number {
  return percentile(Float64Array.from(numbers).sort(), 50);
}

/** Of sorted numbers; halves between the two in the middle. */
export function percentile(sorted: Float64Array, percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

/** Rows under a heading; numbers are right-aligned. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heading.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`;
  console.log(line(heading));
  for (const row of rows) console.log(line(row));
  console.log('');
}

export function fixed(number: number, digits: number): string {
  return Number.isNaN(number) ? '-' : number.toFixed(digits);
}

/** `actual` beside what it should be, for people: nothing fails on it. */
export function target(what: string, actual: number, most: number, unit = ''): void {
  if (Number.isNaN(actual)) return;
  console.log(
    `  ${actual <= most ? 'met   ' : 'MISSED'}  ${what}: ${fixed(actual, 2)}${unit}, at most ${most}${unit}`,
  );
}

/** Keeps all figures of a run beside the earlier ones. */
export function saveResults(results: unknown): string {
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`${new Date().toISOString().replaceAll(':', '-')}.json`, folder);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file.pathname;
}
