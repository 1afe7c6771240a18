import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ConfigIssue } from '../model.ts';
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

/**
 * Imports a config that is a program. Node keeps what it imported: who wants to see a changed file must
 * do so in a fresh process.
 */
export async function importConfig(absolute: string, file: string): Promise<ParsedModule> {
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
    const module = (await import(entry)) as { default?: unknown };
    if (module.default === undefined) return { ...refused(file, noDefault(module)), files: files() };
    const value = await module.default;
    if (typeof value === 'function') return { ...refused(file, functionExported()), files: files() };
    return {
      source: { file, text: null, value, find: () => null, secrets: () => [] },
      issues: [],
      files: files(),
    };
  } catch (error) {
    return { ...refused(file, importIssue(error, absolute)), files: files() };
  } finally {
    hooks.deregister();
  }
}

function refused(file: string, issue: ConfigIssue): Parsed {
  return { source: unparsed(file, null), issues: [issue] };
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

function importIssue(error: unknown, absolute: string): ConfigIssue {
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
  const where = placeOf(error, absolute);
  const kind = error.name === 'Error' ? '' : `${error.name}: `;
  return codeIssue(`${kind}${firstLine(error.message)}${where}`, 'the file must load without an error');
}

/** Line and column within the config, where the stack names it. */
function placeOf(error: Error, absolute: string): string {
  const stack = error.stack ?? '';
  const escaped = absolute.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const match = new RegExp(`${escaped}:(\\d+)(?::(\\d+))?`).exec(stack);
  return match === null ? '' : ` (line ${match[1]}${match[2] === undefined ? '' : `, column ${match[2]}`})`;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
