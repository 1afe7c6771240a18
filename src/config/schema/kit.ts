import * as z from 'zod';
import { isPlain } from '../source/plain.ts';

/** What kind of value stands in the file. */
export type Kind = 'text' | 'number' | 'boolean' | 'list' | 'object' | 'function' | 'empty' | 'other';

/** What is wrong with one value, and how to mend it. */
export interface Complaint {
  message: string;
  advice?: string;
  code?: string;
  /** Offsets into a text value. */
  span?: [start: number, end: number];
  /** What in the value is meant, where that is not all of it. */
  at?: (string | number)[];
}

/** A complaint of an object's rule: where, seen from the object. */
export interface Finding extends Complaint {
  path: (string | number)[];
  atKey?: boolean;
  /** The other of two things that clash. */
  also?: (string | number)[];
}

export type Rule = (value: Readonly<Record<string, unknown>>, report: (finding: Finding) => void) => void;

/** Of keys that exclude each other, those that stand there; each after the first is told of. */
export function onlyOne(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  report: (finding: Finding) => void,
  advice = 'keep one of them',
): string[] {
  const given = keys.filter((key) => key in value);
  for (const key of given.slice(1)) {
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: [given[0]!],
      message: `"${given[0]}" and "${key}" exclude each other`,
      advice,
    });
  }
  return given;
}

/**
 * What a value says as one word; '' for nothing, a list or an object. Rules see values as they were given: one that
 * can't stand there is told of at its own place.
 */
export function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

type JsonSchema = Record<string, unknown>;

/** What zod does not know of a schema: how to speak of it, and the checks that need words of their own. */
export interface Notes {
  /** Completes "must be …". */
  what?: string;
  /** An object: completes "is not a key of …". */
  where?: string;
  /** An object: the key that is meant where a plain text stands in its place. */
  wrap?: string;
  /** What a bare number was probably meant for. */
  wrapNumber?: string;
  /** A leaf: which kinds of value it takes, and what is wrong with one of them. */
  leaf?: { kinds: readonly Kind[]; check: (value: unknown) => Complaint | null; json: JsonSchema };
  /** An object: its name among the places that advice knows, and in the JSON Schema. */
  place?: string;
  rules?: readonly Rule[];
  /** Keys that are passed over in silence. */
  ignore?: (key: string) => boolean;
  /** A record: what is wrong with one of its keys. */
  key?: (key: string) => Complaint | null;
  /** A list: an empty one is an error. */
  needsEntries?: boolean;
  /** A record: entries whose key is wrong are looked at by the later checks too. */
  keepsBadKeys?: boolean;
}

const notes = new WeakMap<z.core.$ZodType, Notes>();

function annotate<Schema extends z.core.$ZodType>(schema: Schema, about: Notes): Schema {
  notes.set(schema, about);
  return schema;
}

/** The notes on a schema; `describe` and the like make copies, which keep those of the original. */
export function notesOf(schema: z.core.$ZodType): Notes {
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = at._zod.parent) {
    const found = notes.get(at);
    if (found !== undefined) return found;
  }
  return {};
}

/** One value that is checked as a whole. `what` completes "must be …". */
export function leaf<T>(
  what: string,
  kinds: readonly Kind[],
  check: (value: unknown) => Complaint | null,
  json: JsonSchema,
): z.ZodType<T, T> {
  const schema = z.custom<T>((value) => kinds.includes(kindOf(value)) && check(value) === null);
  return annotate(schema, { what, leaf: { kinds, check, json } });
}

/** An object with fixed keys. `place` names it; `where` completes "is not a key of …". */
export function object<Shape extends z.core.$ZodLooseShape>(
  place: string,
  where: string,
  shape: Shape,
  rules: readonly Rule[] = [],
  more: Pick<Notes, 'wrap' | 'wrapNumber'> = {},
) {
  return annotate(z.strictObject(shape), {
    what: outlineOf(Object.keys(shape)),
    where,
    place,
    rules,
    ...more,
  });
}

/** `{ match, to, respond, … }` */
function outlineOf(keys: readonly string[]): string {
  return `{ ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', …' : ''} }`;
}

/** The outermost object, in which some keys mean nothing. */
export function openObject<Shape extends z.core.$ZodLooseShape>(
  place: string,
  where: string,
  shape: Shape,
  ignore: (key: string) => boolean,
) {
  return annotate(z.strictObject(shape), { where, place, ignore });
}

/** An object whose keys are names that other places refer to. */
export function named<Value extends z.core.$ZodType>(
  what: string,
  value: Value,
  key: (key: string) => Complaint | null,
) {
  return annotate(z.record(z.string(), value), { what, key, keepsBadKeys: true });
}

/** An object whose keys are the user's. */
export function record<Value extends z.core.$ZodType>(
  what: string,
  value: Value,
  key: (key: string) => Complaint | null,
  rules: readonly Rule[] = [],
) {
  return annotate(z.record(z.string(), value), { what, key, rules });
}

export function list<Value extends z.core.$ZodType>(what: string, value: Value) {
  return annotate(z.array(value), { what });
}

/** A list that says nothing if there is nothing in it. */
export function someOf<Value extends z.core.$ZodType>(what: string, value: Value) {
  return annotate(z.array(value), { what, needsEntries: true });
}

/** Alternatives that differ in kind: text, list, object. */
export function oneOf<const Options extends readonly z.core.$ZodType[]>(
  what: string,
  options: Options,
  more: Pick<Notes, 'wrap' | 'wrapNumber'> = {},
) {
  return annotate(z.union(options), { what, ...more });
}

/** One or a list of at least one. */
export function oneOrMore<Value extends z.core.$ZodType>(what: string, value: Value) {
  return oneOf(`${what}, or a list of these`, [value, someOf(`a list, each ${what}`, value)]);
}

export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'function':
      return 'function';
    case 'object':
      return isPlain(value) ? 'object' : 'other';
    default:
      return 'other';
  }
}

/** A kind in words, as the end of "…, not". */
export function kindName(kind: Kind): string {
  const names: Record<Kind, string> = {
    text: 'text',
    number: 'a number',
    boolean: 'true or false',
    list: 'a list',
    object: 'an object',
    function: 'a function',
    empty: 'empty',
    other: 'a value of another kind',
  };
  return names[kind];
}
