import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { looksSecret } from '../../util/secret-looks.ts';
import { nearest } from '../../util/suggest.ts';
import type { ConfigIssue } from '../model.ts';
import { pathKey } from '../schema/validate.ts';
import { isPlain } from './plain.ts';

export interface FillOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Paths in `${file:…}` are relative to this folder. */
  folder: string;
}

export interface Filled {
  value: unknown;
  /** Paths (as `pathKey`) of the texts that something was filled into. */
  filled: Set<string>;
  /** Absolute paths of the files that were read. */
  files: string[];
  /** What was filled in from files, and from variables that sound secret: no message may repeat it. */
  hidden: Set<string>;
  issues: ConfigIssue[];
}

type Path = (string | number)[];

const REFERENCE = /\$\{(?:env\.([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?|file:([^}]*))\}/g;
/** `${HOME}`, `${env:HOME}`, `${ENV.HOME}`: meant as a reference, and none. */
const SLIP = /\$\{\s*(?:env\s*[.:]\s*|file\s*[.:=]?\s*|)([A-Za-z_][A-Za-z0-9_]*|[^}\s]*)[^}]*\}/gi;
const LARGEST_FILE = 1024 * 1024;

/** Fills `${env.NAME}`, `${env.NAME:default}` and `${file:PATH}` into every text of a value. */
export function fill(value: unknown, options: FillOptions): Filled {
  const filling = new Filling(options);
  return {
    value: filling.visit(value, []),
    filled: filling.filled,
    files: filling.files,
    hidden: filling.hidden,
    issues: filling.issues,
  };
}

class Filling {
  readonly filled = new Set<string>();
  readonly files: string[] = [];
  readonly hidden = new Set<string>();
  readonly issues: ConfigIssue[] = [];
  private readonly options: FillOptions;

  constructor(options: FillOptions) {
    this.options = options;
  }

  visit(value: unknown, path: Path): unknown {
    if (typeof value === 'string') return value.includes('${') ? this.text(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => this.visit(item, [...path, index]));
    if (value === null || typeof value !== 'object' || !isPlain(value)) return value;
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      // Nothing is meant by these but through the aliases of them elsewhere.
      copy[key] = path.length === 0 && key.startsWith('x-') ? item : this.visit(item, [...path, key]);
    }
    return copy;
  }

  private text(text: string, path: Path): string {
    let missing = false;
    const result = text.replaceAll(
      REFERENCE,
      (
        whole,
        name: string | undefined,
        fallback: string | undefined,
        file: string | undefined,
        offset: number,
      ) => {
        this.filled.add(pathKey(path));
        const span: [number, number] = [offset, offset + whole.length];
        const found =
          name === undefined ? this.file(file!, path, span) : this.variable(name, fallback, path, span);
        if (found === null) missing = true;
        return found ?? '';
      },
    );
    this.findSlips(text, path);
    return missing ? text : result;
  }

  private variable(
    name: string,
    fallback: string | undefined,
    path: Path,
    span: [number, number],
  ): string | null {
    const value = this.options.env[name] ?? fallback;
    if (value !== undefined) return looksSecret(name) ? this.hide(value) : value;
    const meant = nearest(
      name,
      Object.keys(this.options.env).filter((other) => !/[^A-Z0-9_]/.test(other)),
    );
    const hint = meant === null ? '' : `; did you mean ${meant}?`;
    this.report(
      path,
      span,
      `the environment variable ${name} is not set`,
      `set it, or give a default: \${env.${name}:default}${hint}`,
    );
    return null;
  }

  private file(file: string, path: Path, span: [number, number]): string | null {
    const absolute = resolve(this.options.folder, file.trim());
    this.files.push(absolute);
    try {
      const stat = statSync(absolute);
      if (stat.isFile() && stat.size > LARGEST_FILE) {
        this.report(
          path,
          span,
          `the file ${file} is larger than 1MiB`,
          'it is meant for secrets and short texts',
        );
        return null;
      }
      return this.hide(readFileSync(absolute, 'utf8').replace(/\r?\n$/, ''));
    } catch (error) {
      this.report(
        path,
        span,
        `the file ${file} ${fileTrouble(error)}`,
        `paths are relative to the config's folder, ${this.options.folder}`,
      );
      return null;
    }
  }

  private hide(value: string): string {
    if (value !== '') this.hidden.add(value);
    return value;
  }

  private findSlips(text: string, path: Path): void {
    const rest = text.replaceAll(REFERENCE, (whole) => ' '.repeat(whole.length));
    for (const match of rest.matchAll(SLIP)) {
      const [whole, name] = match as unknown as [string, string];
      if (!isSlip(whole, name)) continue;
      const span: [number, number] = [match.index, match.index + whole.length];
      const advice = /file/i.test(whole.slice(0, 7)) ? 'write ${file:PATH}' : `write \${env.${name}}`;
      this.report(path, span, `"${whole}" fills nothing in`, advice);
    }
  }

  private report(path: Path, span: [number, number], message: string, advice: string): void {
    this.issues.push({ code: 'TG_CONFIG_FILL', severity: 'error', path, span, message, advice });
  }
}

/** `$` before a template is allowed (`${params.price}`); a name of a variable alone is not one. */
function isSlip(whole: string, name: string): boolean {
  return /^\$\{\s*(env|file)\b/i.test(whole) || /^[A-Z][A-Z0-9_]*$/.test(name);
}

/** Why a file could not be read, as the end of a sentence that begins with its name. */
export function fileTrouble(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOTDIR':
      return 'has a file where a folder should be in its path';
    case 'ELOOP':
      return 'is a symbolic link that leads to itself';
    default:
      return `cannot be read (${(error as Error).message})`;
  }
}
