import type { WriteStream } from 'node:tty';
import { type LoadedConfig, loadConfig, type ReportOptions, renderIssues } from '../config/index.ts';

/** Colours are for people who look at a terminal and did not forbid them (https://no-color.org). */
export function wantsColour(stream: NodeJS.WriteStream | WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export const reportOptions = (): ReportOptions => ({ colour: wantsColour(process.stderr) });

/** Prints everything that is wrong or odd to stderr. */
export function printIssues(loaded: LoadedConfig): void {
  if (loaded.issues.length === 0) return;
  process.stderr.write(`${renderIssues(loaded.issues, loaded.source, reportOptions())}\n`);
}

/** `1 error`, `2 errors`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** Loads a config for a command that needs one in order; null, and the reasons printed, where it is not. */
export async function loadOrReport(file: string): Promise<(LoadedConfig & { config: NonNullable<LoadedConfig['config']> }) | null> {
  const loaded = await loadConfig(file);
  if (loaded.config === null) {
    printIssues(loaded);
    return null;
  }
  return { ...loaded, config: loaded.config };
}
