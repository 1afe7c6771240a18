import type * as z from 'zod';
import { nearest } from '../../util/suggest.ts';
import type { ConfigIssue } from '../model.ts';
import { isSecretPath } from '../report/secrets.ts';
import { kindAdvice, unknownKeyAdvice } from './advice.ts';
import { type Complaint, type Kind, kindName, kindOf, type Notes, notesOf } from './kit.ts';
import { none } from './values.ts';

type Path = (string | number)[];
type Schema = z.core.$ZodTypes;

/** What was found, and what is left once everything wrong is taken out. */
export interface Validated {
  value: unknown;
  issues: ConfigIssue[];
}

/** Stands for a value that had to be left out. */
const INVALID = Symbol('invalid');

/**
 * Checks a value against a schema and reports everything that is wrong with it. What is left is what
 * the later checks can still look at: they must find their mistakes in the same run.
 *
 * @param filled paths (as `pathKey`) of texts that came out of `${…}`: these may stand for a number or a boolean
 */
export function validate(schema: z.core.$ZodType, value: unknown, filled: ReadonlySet<string>): Validated {
  const validation = new Validation(filled);
  const cleaned = validation.visit(schema as Schema, value, []);
  return { value: cleaned === INVALID ? undefined : cleaned, issues: validation.issues };
}

export function pathKey(path: readonly (string | number)[]): string {
  return path.join('\0');
}

class Validation {
  readonly issues: ConfigIssue[] = [];
  private readonly filled: ReadonlySet<string>;

  constructor(filled: ReadonlySet<string>) {
    this.filled = filled;
  }

  visit(schema: Schema, given: unknown, path: Path): unknown {
    const def = schema._zod.def;
    if (def.type === 'optional') return this.visit(def.innerType as Schema, given, path);
    const notes = notesOf(schema);
    if (def.type === 'union') return this.visitUnion(def.options as readonly Schema[], notes, given, path);
    const value = this.unfilled(kindsOf(schema), given, path);
    if (!kindsOf(schema).includes(kindOf(value))) return this.wrongKind(notes, value, path);
    switch (def.type) {
      case 'object':
        return this.visitObject(
          def.shape as Record<string, Schema>,
          notes,
          value as Record<string, unknown>,
          path,
        );
      case 'record':
        return this.visitRecord(def.valueType as Schema, notes, value as Record<string, unknown>, path);
      case 'array':
        return this.visitList(def.element as Schema, notes, value as unknown[], path);
      default:
        return this.visitLeaf(notes, value, path);
    }
  }

  private visitUnion(options: readonly Schema[], notes: Notes, given: unknown, path: Path): unknown {
    const value = this.unfilled(options.flatMap(kindsOf), given, path);
    const kind = kindOf(value);
    const option = options.find((one) => kindsOf(one).includes(kind));
    // Of an alternative that is just a word, another word is as wrong as any other kind.
    if (option === undefined || ((option as unknown) === none && value !== 'none'))
      return this.wrongKind(notes, value, path);
    return this.visit(option, value, path);
  }

  private visitObject(
    shape: Record<string, Schema>,
    notes: Notes,
    value: Record<string, unknown>,
    path: Path,
  ): unknown {
    const cleaned: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      if (notes.ignore?.(key) === true) continue;
      const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
      if (schema === undefined) this.unknownKey(key, shape, notes, value, path);
      else this.keep(cleaned, key, this.visit(schema, item, [...path, key]));
    }
    for (const [key, schema] of Object.entries(shape)) {
      if (Object.hasOwn(value, key) || schema._zod.def.type === 'optional') continue;
      if (isMisspelt(key, value, shape)) continue;
      this.missing(key, schema, notes, path);
    }
    this.applyRules(notes, value, path);
    return cleaned;
  }

  private visitRecord(schema: Schema, notes: Notes, value: Record<string, unknown>, path: Path): unknown {
    const cleaned: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      const complaint = notes.key?.(key) ?? null;
      if (complaint !== null) this.report(complaint, [...path, key], true);
      if (complaint !== null && notes.keepsBadKeys !== true) continue;
      if (this.isOutdented(schema, value, key, path)) continue;
      this.keep(cleaned, key, this.visit(schema, item, [...path, key]));
    }
    this.applyRules(notes, value, path);
    return cleaned;
  }

  /** `url:` beside the name of its service, not below it: then that name has nothing, and the key is none of a service. */
  private isOutdented(schema: Schema, value: Record<string, unknown>, key: string, path: Path): boolean {
    const { def } = schema._zod;
    if (def.type !== 'object' || kindOf(value[key]) === 'object' || !Object.hasOwn(def.shape, key))
      return false;
    const before = Object.keys(value).slice(0, Object.keys(value).indexOf(key));
    const owner = before.findLast((name) => kindOf(value[name]) === 'empty');
    if (owner === undefined) return false;
    const message = `"${key}" stands beside "${owner}", not in it`;
    this.report({ code: 'TG_CONFIG_TYPE', message, advice: 'indent it further' }, [...path, key], true);
    return true;
  }

  private visitList(schema: Schema, notes: Notes, value: unknown[], path: Path): unknown {
    if (notes.needsEntries && value.length === 0) {
      this.report({ message: 'this list is empty', advice: 'give it an entry, or remove the key' }, path);
    }
    const items = value.map((item, index) => this.visit(schema, item, [...path, index]));
    // An entry that had to go leaves a hole, so that the paths of the others stay true.
    return items.map((item) => (item === INVALID ? undefined : item));
  }

  private visitLeaf(notes: Notes, value: unknown, path: Path): unknown {
    const complaint = notes.leaf!.check(value);
    if (complaint === null) return value;
    this.report(masked(complaint, notes, value, path), [...path, ...(complaint.at ?? [])]);
    return INVALID;
  }

  private keep(target: Record<string, unknown>, key: string, value: unknown): void {
    if (value !== INVALID) target[key] = value;
  }

  private applyRules(notes: Notes, value: Record<string, unknown>, path: Path): void {
    for (const rule of notes.rules ?? []) {
      rule(value, (finding) => {
        const also = finding.also === undefined ? {} : { also: { path: [...path, ...finding.also] } };
        this.report(finding, [...path, ...finding.path], finding.atKey, also);
      });
    }
  }

  /** `workers: ${env.WORKERS}` gives text; where text has no place it is read as YAML would read it. */
  private unfilled(kinds: readonly Kind[], value: unknown, path: Path): unknown {
    if (typeof value !== 'string' || !this.filled.has(pathKey(path))) return value;
    if (kinds.includes('number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    if (kinds.includes('boolean') && /^(true|false)$/.test(value)) return value === 'true';
    return value;
  }

  private unknownKey(
    key: string,
    shape: Record<string, Schema>,
    notes: Notes,
    value: Record<string, unknown>,
    path: Path,
  ): void {
    const place = notes.place ?? '';
    const where = notes.where ?? 'this object';
    const complaint: Complaint = {
      code: 'TG_CONFIG_UNKNOWN_KEY',
      message: `"${key}" is not a key of ${where}`,
    };
    const advice = unknownKeyAdvice(key, Object.keys(shape), value, place);
    this.report({ ...complaint, ...(advice === null ? {} : { advice }) }, [...path, key], true);
  }

  private missing(key: string, schema: Schema, notes: Notes, path: Path): void {
    const what = notesOf(schema).what;
    const message = `"${key}" is missing in ${notes.where ?? 'this object'}`;
    const advice = what === undefined ? `add "${key}"` : `add "${key}": ${what}`;
    this.report({ code: 'TG_CONFIG_MISSING', message, advice }, path, true);
  }

  private wrongKind(notes: Notes, value: unknown, path: Path): typeof INVALID {
    const kind = kindOf(value);
    const subject = subjectOf(path);
    const what = notes.what ?? 'something else';
    if (kind === 'empty') {
      this.report(
        { code: 'TG_CONFIG_TYPE', message: `${subject} is empty`, advice: `give it ${what}, or remove it` },
        path,
        true,
      );
    } else {
      const advice = kindAdvice(notes, value, kind, path);
      const complaint = {
        code: 'TG_CONFIG_TYPE',
        message: `${subject} must be ${what}, not ${kindName(kind)}`,
      };
      this.report(advice === null ? complaint : { ...complaint, advice }, path);
    }
    return INVALID;
  }

  private report(complaint: Complaint, path: Path, atKey = false, more: Partial<ConfigIssue> = {}): void {
    const issue: ConfigIssue = {
      code: complaint.code ?? 'TG_CONFIG_VALUE',
      severity: 'error',
      path,
      message: complaint.message,
      ...more,
    };
    if (complaint.advice !== undefined) issue.advice = complaint.advice;
    if (complaint.span !== undefined) issue.span = complaint.span;
    if (atKey) issue.atKey = true;
    this.issues.push(issue);
  }
}

function kindsOf(schema: Schema): readonly Kind[] {
  const def = schema._zod.def;
  switch (def.type) {
    case 'optional':
      return kindsOf(def.innerType as Schema);
    case 'union':
      return (def.options as readonly Schema[]).flatMap(kindsOf);
    case 'object':
    case 'record':
      return ['object'];
    case 'array':
      return ['list'];
    default:
      return notesOf(schema).leaf?.kinds ?? [];
  }
}

/** What a value of a secret key is must not be told either. */
function masked(complaint: Complaint, notes: Notes, value: unknown, path: Path): Complaint {
  if (value === '' || !isSecretPath(path) || !complaint.message.includes(String(value))) return complaint;
  return { ...complaint, message: `${subjectOf(path)} must be ${notes.what}` };
}

/** A key that is there in a wrong spelling is told of as such, not as missing too. */
function isMisspelt(key: string, value: Record<string, unknown>, shape: Record<string, Schema>): boolean {
  return Object.keys(value).some(
    (given) => !Object.hasOwn(shape, given) && nearest(given, Object.keys(shape)) === key,
  );
}

function subjectOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the config';
  return typeof last === 'number' ? `entry ${last + 1} of "${path.at(-2) ?? 'the list'}"` : `"${last}"`;
}
