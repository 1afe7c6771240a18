import { Console } from 'node:console';
import type { WriteStream } from 'node:tty';
import type { GatewayConfig, LoadedConfig } from '../config/index.ts';
import { EXIT } from './usage.ts';

/** Colours are for people who look at a terminal and did not forbid them (https://no-color.org). */
export function wantsColour(stream: NodeJS.WriteStream | WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Resolves once all that was written to it so far is out: a pipe takes it bit by bit, and an exit would cut it off. */
export function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints everything that is wrong or odd to stderr. */
export async function printIssues(loaded: LoadedConfig): Promise<void> {
  if (loaded.issues.length === 0) return;
  const { renderIssues } = await import('../config/index.ts');
  const text = renderIssues(loaded.issues, loaded.source, { colour: wantsColour(process.stderr) });
  process.stderr.write(`${text}\n`);
}

/** `1 error`, `2 errors`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/**
 * Loads a config that may be a program: what it says on the console goes to standard error, because standard
 * output is for what was asked for.
 */
export async function loadAside(file: string): Promise<LoadedConfig> {
  const { isProgram, loadConfig } = await import('../config/index.ts');
  const aside = new Console(process.stderr);
  for (const way of ['log', 'info', 'debug', 'table', 'dir'] as const) console[way] = aside[way];
  if (isProgram(file)) process.on('uncaughtException', (error) => throwsBeside(file, error));
  return loadConfig(file);
}

/** In a timer, say, or in a promise that nobody waits for. */
function throwsBeside(file: string, error: unknown): never {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  process.stderr.write(`${file}: error: it throws, beside its config: ${what}\n`);
  process.exit(EXIT.input);
}

/** Loads a config for a command that needs one in order; null, and the reasons printed, where it is not. */
export async function loadOrReport(file: string): Promise<GatewayConfig | null> {
  const loaded = await loadAside(file);
  if (loaded.config === null) await printIssues(loaded);
  return loaded.config;
}
