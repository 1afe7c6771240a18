import { registerHooks } from 'node:module';
import { dirname, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ConfigIssue } from '../model.ts';
import { type CodePlace, placeOf } from './code-place.ts';
import { type Parsed, unparsed } from './source.ts';

/** The running gateway's own door, whether it runs from its sources or from `dist`. */
const OWN_DOOR = new URL(
  import.meta.url.endsWith('.ts') ? '../../index.ts' : '../../index.js',
  import.meta.url,
).href;

export interface ParsedModule extends Parsed {
  /** Absolute paths of the config and of every file it imports. */
  files: string[];
}

/** A config that awaits longer will hardly ever be there. Milliseconds. */
const PATIENCE = 10_000;

/**
 * Imports a config that is a program; `text` is what the file says. Node keeps what it imported: who wants to
 * see a changed file must do so in a fresh process.
 */
export async function importConfig(
  absolute: string,
  file: string,
  text: string,
  patience = PATIENCE,
): Promise<ParsedModule> {
  const entry = pathToFileURL(absolute).href;
  const imported = new Set([entry]);
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      // Wherever the config stands, and whatever is installed there: one gateway, the one that runs.
      if (specifier === 'tidegate') return { url: OWN_DOOR, shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      const isOwn = context.parentURL !== undefined && imported.has(context.parentURL);
      if (isOwn && resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/'))
        imported.add(resolved.url);
      return resolved;
    },
  });
  const files = () => [...imported].map((url) => fileURLToPath(url));
  try {
    const loaded = await soon(defaultOf(entry), patience);
    if (loaded === null) return { ...refused(file, neverLoaded(patience)), files: files() };
    const { module, value } = loaded;
    if (value === undefined) return { ...refused(file, noDefault(module)), files: files() };
    if (typeof value === 'function') return { ...refused(file, functionExported()), files: files() };
    return {
      source: { file, text: null, value, find: () => null, secrets: () => [] },
      issues: [],
      files: files(),
    };
  } catch (error) {
    const place = placeOf(error, files());
    if (place?.file === absolute)
      return { ...pointed(file, text, importIssue(error, ''), place), files: files() };
    const where = place === null ? '' : ` (${relative(dirname(absolute), place.file)}:${place.line})`;
    return { ...refused(file, importIssue(error, where)), files: files() };
  } finally {
    hooks.deregister();
  }
}

async function defaultOf(entry: string): Promise<{ module: object; value: unknown }> {
  const module = (await import(entry)) as { default?: unknown };
  return { module, value: await module.default };
}

/** What a promise gives; null where it has given nothing in time. */
async function soon<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, milliseconds, null);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function refused(file: string, issue: ConfigIssue): Parsed {
  return { source: unparsed(file, null), issues: [issue] };
}

function pointed(file: string, text: string, issue: ConfigIssue, { line, column }: CodePlace): Parsed {
  const lines = text.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
  const from = column === null ? 0 : column - 1;
  const length = column === null ? (lines[line - 1] ?? '').length : 1;
  return { source: unparsed(file, text), issues: [{ ...issue, at: [start + from, start + from + length] }] };
}

function codeIssue(message: string, advice: string): ConfigIssue {
  return { code: 'TG_CONFIG_CODE', severity: 'error', path: [], message, advice };
}

function noDefault(module: object): ConfigIssue {
  const others = Object.keys(module);
  const found = others.length === 0 ? '' : ` (it exports ${others.join(', ')})`;
  return codeIssue(`the file has no default export${found}`, 'write export default defineGateway({ … })');
}

function functionExported(): ConfigIssue {
  return codeIssue(
    'the default export is a function',
    'export what it returns: export default defineGateway({ … })',
  );
}

function neverLoaded(patience: number): ConfigIssue {
  return codeIssue(
    `the file has not finished loading after ${patience / 1000} s`,
    'it waits for a promise that is never kept: await nothing that may not come',
  );
}

function importIssue(error: unknown, where: string): ConfigIssue {
  if (!(error instanceof Error))
    return codeIssue(`the file threw ${String(error)}`, 'it must load without an error');
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return codeIssue(firstLine(error.message), 'install it beside the config, or mend the path');
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return codeIssue(
      firstLine(error.message),
      'only types can be stripped: no enum, namespace or parameter property',
    );
  }
  const kind = error.name === 'Error' ? '' : `${error.name}: `;
  return codeIssue(`${kind}${firstLine(error.message)}${where}`, 'the file must load without an error');
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
