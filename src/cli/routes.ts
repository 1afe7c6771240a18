import { describeRoute } from '../snapshot/index.ts';
import { maskUrls } from '../util/secret-looks.ts';
import { loadOrReport, printJson } from './output.ts';
import { EXIT } from './usage.ts';

/** `tidegate routes`: what each route takes and what it does. Gives the exit code. */
export async function routes(file: string, options: { json?: boolean }): Promise<number> {
  const config = await loadOrReport(file);
  if (config === null) return EXIT.input;
  const described = Object.values(config.routes)
    .map(describeRoute)
    .map((route) => ({ ...route, does: maskUrls(route.does) }));
  if (options.json) printJson(described.map(({ name, ...rest }) => ({ route: name, ...rest })));
  else process.stdout.write(table(described));
  return EXIT.ok;
}

function table(described: ReturnType<typeof describeRoute>[]): string {
  if (described.length === 0) return 'This config has no routes: every request is answered with 404.\n';
  return columns([
    ['ROUTE', 'TAKES', 'DOES'],
    ...described.map(({ name, match, does }) => [name, match, does]),
  ]);
}

function columns(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}
