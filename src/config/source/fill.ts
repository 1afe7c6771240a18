import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { looksSecret } from '../../util/secret-looks.ts';
import { nearest } from '../../util/suggest.ts';
import type { ConfigIssue } from '../model.ts';
import { pathKey } from '../schema/validate.ts';
import { isPlain } from './plain.ts';
import { fileTrouble, readRegularFile, utf8Of } from './regular-file.ts';

export interface FillOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Paths in `${file:…}` are relative to this folder. */
  folder: string;
}

export interface Filled {
  value: unknown;
  /** Paths (as `pathKey`) of the texts that something was filled into. */
  filled: Set<string>;
  /** By such a path, what was filled in where, from the left. */
  places: Map<string, FilledPlace[]>;
  /** Absolute paths of the files that were read. */
  files: string[];
  /** What was filled in from files, and from variables that sound secret: no message may repeat it. */
  hidden: Set<string>;
  issues: ConfigIssue[];
}

/** A reference, and what came into its place. */
export interface FilledPlace {
  /** Offsets into the text as it is written. */
  written: readonly [start: number, end: number];
  /** Offsets into the text that came of it. */
  filled: readonly [start: number, end: number];
  /** No message may repeat any of it. */
  hidden: boolean;
}

/** Is any of what is said of a text said of what must not be repeated? */
export function touchesHidden(
  places: readonly FilledPlace[],
  [start, end]: readonly [number, number],
): boolean {
  const behind = Math.max(end, start + 1);
  return places.some(({ filled, hidden }) => hidden && filled[0] < behind && start < filled[1]);
}

/** What is said of a text that something was filled into, said of the text as it is written. */
export function writtenSpan(
  places: readonly FilledPlace[],
  [start, end]: readonly [number, number],
): [start: number, end: number] {
  const inside = (offset: number) => places.find(({ filled }) => filled[0] <= offset && offset < filled[1]);
  const moved = (offset: number) => {
    const last = places.findLast(({ filled }) => filled[1] <= offset);
    return last === undefined ? offset : offset + last.written[1] - last.filled[1];
  };
  const last = Math.max(end - 1, start);
  return [inside(start)?.written[0] ?? moved(start), inside(last)?.written[1] ?? moved(last) + end - last];
}

type Path = (string | number)[];

const REFERENCE = /\$\{(?:env\.([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?|file:([^}]*[^}\s][^}]*))\}/g;
/** `${HOME}`, `${env:HOME}`, `${ENV.HOME}`: meant as a reference, and none. */
const SLIP = /\$\{\s*(?:env\s*[.:]\s*|file\s*[.:=]?\s*|)([A-Za-z_][A-Za-z0-9_]*|[^}\s]*)[^}]*\}/gi;
/** A reference that never ends, or that begins within another: `${env.A:${env.B}}` would end at the first brace. */
const UNCLOSED = /\$\{(?:env\.|file:)[^}]*$/;
const NESTED = /\$\{(?:env\.|file:)[^}]*?(?=\$\{(?:env\.|file:))/;
const LARGEST_FILE = 1024 * 1024;

/** Fills `${env.NAME}`, `${env.NAME:default}` and `${file:PATH}` into every text of a value. */
export function fill(value: unknown, options: FillOptions): Filled {
  const filling = new Filling(options);
  return {
    value: filling.visit(value, []),
    filled: filling.filled,
    places: filling.places,
    files: filling.files,
    hidden: filling.hidden,
    issues: filling.issues,
  };
}

class Filling {
  readonly filled = new Set<string>();
  readonly places = new Map<string, FilledPlace[]>();
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
    let missing = this.findBroken(text, path);
    if (missing) return text;
    const places: FilledPlace[] = [];
    let longer = 0;
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
        const value = found ?? '';
        const filled = [offset + longer, offset + longer + value.length] as const;
        places.push({ written: span, filled, hidden: name === undefined || looksSecret(name) });
        longer += value.length - whole.length;
        return value;
      },
    );
    this.findSlips(text, path);
    if (!missing && places.length > 0) this.places.set(pathKey(path), places);
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
      if (statSync(absolute).size > LARGEST_FILE) {
        this.report(
          path,
          span,
          `the file ${file} is larger than 1MiB`,
          'it is meant for secrets and short texts',
        );
        return null;
      }
      const text = utf8Of(readRegularFile(absolute));
      if (text !== null) return this.hide(text.replace(/\r?\n$/, ''));
      this.report(
        path,
        span,
        `the file ${file} is not UTF-8 text`,
        'bytes of another kind: encode them, say as base64',
      );
      return null;
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

  /** Says what can't be filled in because it has no end of its own. */
  private findBroken(text: string, path: Path): boolean {
    const nested = NESTED.exec(text);
    const broken = nested ?? UNCLOSED.exec(text);
    if (broken === null) return false;
    const span: [number, number] = [broken.index, broken.index + broken[0].length];
    if (nested !== null)
      this.report(path, span, 'one reference stands within another', 'write them one after the other');
    else this.report(path, span, 'a closing } is missing after this', 'write ${env.NAME} or ${file:PATH}');
    return true;
  }

  private findSlips(text: string, path: Path): void {
    const rest = text.replaceAll(REFERENCE, (whole) => ' '.repeat(whole.length));
    for (const match of rest.matchAll(SLIP)) {
      const [whole, name] = match as unknown as [string, string];
      if (!isSlip(whole, name)) continue;
      const span: [number, number] = [match.index, match.index + whole.length];
      const isFile = /^\$\{\s*file/i.test(whole);
      const advice = isFile
        ? 'write ${file:PATH}'
        : `write \${env.${/^[A-Za-z_]\w*$/.test(name) ? name : 'NAME'}}`;
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
