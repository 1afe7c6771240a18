import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, extname, relative, resolve } from 'node:path';
import { MASK } from '../util/secret.ts';
import { isReference } from '../util/secret-looks.ts';
import { checkConfig } from './check/index.ts';
import { restoreSecrets } from './edit/index.ts';
import { ConfigFiles } from './files.ts';
import type { ConfigIssue, GatewayConfig } from './model.ts';
import { ACME_STORAGE, normalise } from './normalise/index.ts';
import { valueAt } from './report/locate.ts';
import { isSecretPath } from './report/secrets.ts';
import { type ConfigInput, configSchema, kindOf, pathKey, validate } from './schema/index.ts';
import { type Filled, fill, touchesHidden, writtenSpan } from './source/fill.ts';
import { parseJson } from './source/json.ts';
import { importConfig } from './source/module.ts';
import { plainValue } from './source/plain.ts';
import { fileTrouble, utf8Of } from './source/regular-file.ts';
import { type Source, unparsed } from './source/source.ts';
import { parseYaml } from './source/yaml.ts';

export interface LoadOptions {
  /** Where `${env.NAME}` comes from; the process's environment where nothing is said. */
  env?: Readonly<Record<string, string | undefined>>;
}

/** A config that was read: in order, or what is wrong with it. */
export interface LoadedConfig {
  /** Null if there is any error among the issues. */
  config: GatewayConfig | null;
  /** Everything that is wrong or odd. */
  issues: ConfigIssue[];
  /** Where the issues point into. */
  source: Source;
  /** Absolute paths of all files that were read or missed, and of symbolic links to them: what to watch. */
  files: string[];
  /** Changes with anything that was read. */
  etag: string;
}

/** Files that can hold a config, in the order they are looked for. */
export const CONFIG_FILES = [
  'tidegate.yaml',
  'tidegate.yml',
  'tidegate.json',
  'tidegate.config.ts',
  'tidegate.config.js',
];

/**
 * Reads a config file and finds everything that is wrong with it. Never throws for what a user wrote.
 * A `.ts` or `.js` config is imported into this process, once: to see it changed takes a fresh process.
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const absolute = resolve(path);
  const file = displayed(absolute);
  const files = new ConfigFiles(dirname(absolute));
  files.note(absolute);
  const text = readConfigText(absolute);
  if (typeof text !== 'string') return result(null, [text.issue], unparsed(file, text.shown), files, '');
  if (isProgram(absolute)) {
    const parsed = await importConfig(absolute, file, text);
    for (const imported of parsed.files) files.note(imported);
    const program = parsed.issues.length > 0 ? parsed : fromProgram(file, parsed.source.value);
    return finish(program, files, options.env ?? process.env);
  }
  return finish(parseText(text, file), files, options.env ?? process.env);
}

/** A config in TypeScript or JavaScript, which runs to be read. */
export function isProgram(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** A config that is at hand as text. */
export interface TextOptions {
  /** What it is called in reports; its ending says whether it is JSON. */
  file: string;
  /** Paths in it are relative to this folder. */
  folder: string;
  /** Where `${env.NAME}` comes from. Null for a config that came by the network: nothing is filled into it. */
  env: Readonly<Record<string, string | undefined>> | null;
}

/** Finds everything that is wrong with a config that is at hand as text. Never throws for what a user wrote. */
export function loadText(text: string, { file, folder, env }: TextOptions): LoadedConfig {
  return finish(parseText(text, file), new ConfigFiles(resolve(folder)), env);
}

/** The config in force, which another one is to replace over the network. */
export interface CurrentConfig {
  /** As it was read, nothing filled in. */
  raw: unknown;
  /** What the file itself says: as it was read, and all files that it stands in or names. */
  own: { raw: unknown; files: readonly string[] };
  /** Paths in it are relative to this folder. */
  folder: string;
}

/** Reads a config that came over the network as JSON: it may say nothing of secrets and files that the one in force does not. */
export function loadEdit(text: string, current: CurrentConfig, options: LoadOptions = {}): LoadedConfig {
  const { source, issues } = parseText(text, 'config.json');
  const restored = restoreSecrets(source.value, current.raw, current.own.raw);
  const only = { read: new Set(current.own.files), written: new Set(writtenBy(current)) };
  const files = new ConfigFiles(resolve(current.folder), only);
  const edited = { source: { ...source, value: restored.value }, issues: [...issues, ...restored.issues] };
  if (restored.issues.length === 0) return finish(edited, files, options.env ?? process.env);
  const loaded = finish(edited, files, null);
  return { ...loaded, issues: loaded.issues.filter((issue) => isOfEdit(issue, restored)) };
}

/** Where a secret was refused nothing is filled in anywhere: that masks and references do not fit is no news. */
function isOfEdit(issue: ConfigIssue, { value, issues }: ReturnType<typeof restoreSecrets>): boolean {
  if (issues.includes(issue)) return true;
  const written = valueAt(value, issue.path);
  const unfilled = typeof written === 'string' && /\$\{(?:env\.|file:)/.test(written);
  return !unfilled && !sameValue(issue, issues);
}

/** What the file itself lets be written to: none of those that are read. */
function writtenBy({ own, folder }: CurrentConfig): string[] {
  const { log, listen } = (own.raw ?? {}) as WrittenPlaces;
  const listeners = Array.isArray(listen) ? listen : [listen];
  const storages = listeners.map((listener) => listener?.tls?.acme?.storage);
  const named = [log?.file, ...storages].filter((path) => typeof path === 'string');
  return [...named, ACME_STORAGE].map((path) => resolve(folder, path));
}

/** Where a config that nothing is known of yet may name what is written to. */
interface WrittenPlaces {
  readonly log?: { readonly file?: unknown };
  readonly listen?: ListenerPlace | readonly ListenerPlace[];
}

type ListenerPlace = { readonly tls?: { readonly acme?: { readonly storage?: unknown } } } | null | undefined;

/** A config as a program has it: an object, functions and all. `folder`: what paths in it are relative to. */
export function loadObject(value: unknown, folder: string, options: LoadOptions = {}): LoadedConfig {
  return finish(fromProgram('config', value), new ConfigFiles(resolve(folder)), options.env ?? process.env);
}

/** Nothing in a program can be pointed at but by its keys. */
function fromProgram(file: string, given: unknown) {
  const { value, issues } = plainValue(given);
  const source: Source = { file, text: null, value, find: () => null, secrets: () => [] };
  return { source, issues };
}

function parseText(text: string, file: string) {
  if (text.trim() === '') {
    return { source: unparsed(file, text), issues: [emptyIssue('this file is empty')] };
  }
  return extname(file) === '.json' ? parseJson(text, file) : parseYaml(text, file);
}

function finish(
  parsed: { source: Source; issues: ConfigIssue[] },
  files: ConfigFiles,
  env: Readonly<Record<string, string | undefined>> | null,
): LoadedConfig {
  const { source } = parsed;
  // A key that stands twice leaves a value that can be looked at all the same.
  const readable = source.text !== null && source.value !== undefined;
  if (parsed.issues.length > 0 && !readable) return result(null, parsed.issues, source, files, '');
  const kind = kindOf(source.value);
  if (kind === 'empty' || (source.text !== null && saysNothing(source.value as object)))
    return result(null, [emptyIssue('this file says nothing')], source, files, '');
  if (kind !== 'object') return result(null, [notAnObject()], source, files, '');

  const filling = env === null ? unfilled(source.value) : fill(source.value, { env, folder: files.folder });
  for (const path of filling.files) files.note(path);
  const validated = validate(configSchema, filling.value, filling.filled);
  const input = validated.value as ConfigInput;
  const isNews = (issue: ConfigIssue) => !sameValue(issue, filling.issues);
  const issues = [...parsed.issues, ...filling.issues, ...validated.issues.filter(isNews)];
  const found = checkConfig(input, filling.value as ConfigInput, files, hasErrors(issues), filling.filled);
  issues.push(...found.filter(isNews));
  pointIntoWritten(issues, filling);
  const config = hasErrors(issues) ? null : normalise(input, readerOf(files));
  hide(filling.hidden, issues);
  hideOwnValues(filling.value, issues);
  return result(config, issues, source, files, JSON.stringify(filling.value, asJson));
}

/**
 * What is found in a text that something was filled into is shown in the text as it is written. Of a part of a secret nothing is said
 * but that it does not fit.
 */
function pointIntoWritten(issues: readonly ConfigIssue[], { places, issues: own }: Filled): void {
  for (const issue of places.size === 0 ? [] : issues) {
    const filled =
      issue.span === undefined || own.includes(issue) ? undefined : places.get(pathKey(issue.path));
    if (filled === undefined) continue;
    if (touchesHidden(filled, issue.span!)) {
      issue.message = 'what is filled in here does not fit where it stands';
      issue.advice = 'its braces, quotes and the like count as if they were written here';
    }
    issue.span = writtenSpan(filled, issue.span!);
  }
}

/** What is secret must not come back in a message about it. */
function hide(secrets: ReadonlySet<string>, issues: readonly ConfigIssue[]): void {
  for (const issue of secrets.size === 0 ? [] : issues) {
    for (const secret of secrets) {
      issue.message = issue.message.replaceAll(secret, MASK);
      if (issue.advice !== undefined) issue.advice = issue.advice.replaceAll(secret, MASK);
    }
  }
}

/** Nor may a message about a secret's own value repeat it; its path may be that of a pattern or of a file. */
function hideOwnValues(config: unknown, issues: readonly ConfigIssue[]): void {
  for (const issue of issues) {
    const value = isSecretPath(issue.path) ? valueAt(config, issue.path) : undefined;
    const secret = typeof value === 'string' ? value.replace(/^~/, '') : '';
    if (secret.length > 2 && !isReference(secret)) hide(new Set([secret]), [issue]);
  }
}

function hasErrors(issues: readonly ConfigIssue[]): boolean {
  return issues.some((issue) => issue.severity === 'error');
}

function unfilled(value: unknown): Filled {
  return { value, filled: new Set(), places: new Map(), files: [], hidden: new Set(), issues: [] };
}

/** What could not be filled in has been told of; that what is left does not fit is no news. */
function sameValue(issue: ConfigIssue, fillIssues: readonly ConfigIssue[]): boolean {
  return fillIssues.some(
    (other) => other.severity === 'error' && other.path.join('\0') === issue.path.join('\0'),
  );
}

function readerOf(files: ConfigFiles) {
  const bytes = (path: string) => files.read(path) as Buffer;
  return {
    bytes,
    pem: (text: string) => (isPem(text) ? text : bytes(text).toString('latin1')),
    path: (given: string) => resolve(files.folder, given),
  };
}

/** PEM text may stand in place of the path to it: `${file:…}` and `${env.…}` give such. */
function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

function result(
  config: GatewayConfig | null,
  issues: ConfigIssue[],
  source: Source,
  files: ConfigFiles,
  filled: string,
): LoadedConfig {
  const hash = createHash('sha256')
    .update(source.text ?? '')
    .update(filled);
  for (const path of files.paths.sort()) hash.update(path).update(files.read(path));
  return { config, issues, source, files: files.paths, etag: hash.digest('hex').slice(0, 32) };
}

/** What only a program can put into a config. */
function asJson(_key: string, value: unknown): unknown {
  return typeof value === 'function' || typeof value === 'bigint' ? String(value) : value;
}

function emptyIssue(message: string): ConfigIssue {
  return {
    code: 'TG_CONFIG_EMPTY',
    severity: 'error',
    path: [],
    message,
    advice: 'it needs at least services and routes',
  };
}

/** `{}`, as templating tools write what is empty; what means nothing by itself does not count. */
function saysNothing(value: object): boolean {
  return (
    kindOf(value) === 'object' && Object.keys(value).every((key) => key === '$schema' || key.startsWith('x-'))
  );
}

function notAnObject(): ConfigIssue {
  return {
    code: 'TG_CONFIG_TYPE',
    severity: 'error',
    path: [],
    message: 'a config is made of keys such as services and routes',
    advice: 'write "services:" and "routes:"',
  };
}

/** UTF-8 text; or why there is none, and what of it can be shown. */
function readConfigText(absolute: string): string | { issue: ConfigIssue; shown: string | null } {
  const issue: ConfigIssue = { code: 'TG_CONFIG_FILE', severity: 'error', path: [], message: '' };
  try {
    const bytes = readFileSync(absolute);
    const text = utf8Of(bytes);
    if (text !== null) return text;
    const shown = bytes.toString();
    const at = firstUnreadable(shown, bytes);
    const advice = 'save the file as UTF-8';
    return { issue: { ...issue, message: 'the config is not UTF-8 text', at: [at, at + 1], advice }, shown };
  } catch (error) {
    issue.message = `the config ${fileTrouble(error)}`;
    if (issue.message.endsWith('does not exist')) issue.advice = '"tidegate init" writes one to start with';
    return { issue, shown: null };
  }
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Where bytes that are no UTF-8 are shown as U+FFFD, which may also be what the bytes say. */
function firstUnreadable(shown: string, bytes: Buffer): number {
  let at = shown.indexOf('\ufffd');
  for (;;) {
    const offset = Buffer.byteLength(shown.slice(0, at));
    if (!bytes.subarray(offset, offset + REPLACEMENT.length).equals(REPLACEMENT)) return at;
    at = shown.indexOf('\ufffd', at + 1);
  }
}

/** As the user would name it: relative where it is below the current folder. */
function displayed(absolute: string): string {
  const folder = currentFolder();
  if (folder === null) return absolute;
  const path = relative(folder, absolute);
  return path.startsWith('..') || path === '' ? absolute : path;
}

/** Null where it has been removed since this process, or the one that started it, came to be in it. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}
