import type { Expression } from '../config/model.ts';
import type { Run } from './code.ts';
import { EvaluationFailure } from './failure.ts';
import { namesRead, wordsOf } from './function-text.ts';
import { checkedTime } from './numbers.ts';
import type { Scope } from './scope.ts';
import { clockOf } from './time.ts';
import { CelType, Duration, hasMembers, Timestamp, Uint, type Value, type Variables } from './value.ts';

type NativeFunction = Exclude<Expression, string>;

/**
 * A function of a TypeScript config as an expression. It is called with an object of the scope's variables,
 * whose members are made when they are read; what is absent is undefined there. Which members it reads is
 * told by the names in its own text: `request.body` counts as read where the words `request` and `body` stand in it. Where it
 * names none of a variable's members, it hands the variable on, and any of them may be read; but the body of a request is only
 * there where it is named.
 */
export function compileFunction(
  source: NativeFunction,
  scope: Scope,
): { run: Run; mentions: ReadonlySet<string> } {
  const call = source as (variables: object) => unknown;
  const names = [...scope.variables.keys()];
  return {
    run: (frame) => toValue(call(variablesView(names, frame.variables))),
    mentions: mentionsOf(call, scope),
  };
}

function mentionsOf(source: (variables: object) => unknown, scope: Scope): ReadonlySet<string> {
  const text = String(source);
  const words = wordsOf(text);
  const read = namesRead(text);
  const mentions = new Set<string>();
  for (const [variable, type] of scope.variables) {
    if (!(read ?? words).has(variable)) continue;
    if (type.kind !== 'record') {
      mentions.add(variable);
      continue;
    }
    const members = Object.keys(type.members);
    const named = members.filter((member) => words.has(member) || isQuoted(member, text));
    for (const member of named) mentions.add(`${variable}.${member}`);
    if (named.length > 0 || read === null) continue;
    if (variable !== 'request') mentions.add(variable);
    else for (const member of members) if (member !== 'body') mentions.add(`request.${member}`);
  }
  return mentions;
}

/** A member that is no word, such as the `*` of `params`. */
function isQuoted(member: string, text: string): boolean {
  return (
    !/^[\w$]+$/.test(member) && ["'", '"', '`'].some((quote) => text.includes(`${quote}${member}${quote}`))
  );
}

function variablesView(names: readonly string[], variables: Variables): object {
  const view: object = Object.create(null);
  for (const name of names) define(view, name, () => variables.get(name));
  return view;
}

function define(view: object, name: string, read: () => Value | undefined): void {
  Object.defineProperty(view, name, {
    enumerable: true,
    configurable: true,
    get: () => {
      const value = read();
      const native = value === undefined ? undefined : toNative(value);
      Object.defineProperty(view, name, { enumerable: true, value: native });
      return native;
    },
  });
}

/** Ints that a number holds exactly are numbers, larger ones bigints; maps and fields are objects. */
function toNative(value: Value): unknown {
  if (typeof value === 'bigint') return toNumber(value);
  if (value instanceof Uint) return toNumber(value.value);
  if (value instanceof Timestamp) return clockOf(value);
  if (value instanceof Duration) return Number(value.nanoseconds) / 1e6;
  if (value instanceof CelType) return value.name;
  if (Array.isArray(value)) return value.map(toNative);
  if (!hasMembers(value)) return value;
  return value instanceof Map
    ? objectOf(value)
    : fieldsView(value as Exclude<typeof value, ReadonlyMap<Value, Value>>);
}

function toNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function objectOf(map: ReadonlyMap<Value, Value>): object {
  const object: object = Object.create(null);
  for (const [key, value] of map) {
    Object.defineProperty(object, String(key), {
      enumerable: true,
      configurable: true,
      writable: true,
      value: toNative(value),
    });
  }
  return object;
}

/** Fields are asked one by one, so that reading `request.method` makes no headers. */
function fieldsView(fields: {
  get(name: string): Value | undefined;
  entries(): Iterable<[string, Value]>;
}): object {
  const read = (name: string | symbol): unknown => {
    const value = typeof name === 'string' ? fields.get(name) : undefined;
    return value === undefined ? undefined : toNative(value);
  };
  return new Proxy(Object.create(null), {
    get: (_, name) => read(name),
    has: (_, name) => isThere(read, name),
    ownKeys: () => [...fields.entries()].map(([name]) => name),
    getOwnPropertyDescriptor: (_, name) => {
      const value = read(name);
      return value === undefined
        ? undefined
        : { enumerable: true, configurable: true, writable: false, value };
    },
    set: () => false,
  });
}

/** What can't be read isn't there. */
function isThere(read: (name: string | symbol) => unknown, name: string | symbol): boolean {
  try {
    return read(name) !== undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

function timeOf(date: Date): Timestamp {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new EvaluationFailure('value', 'the function gave an invalid date');
  return checkedTime(BigInt(milliseconds) * 1_000_000n);
}

/** Deeper results come only from a cycle. */
const MAX_DEPTH = 256;

function toValue(native: unknown, depth = 0): Value {
  if (native === undefined) throw new EvaluationFailure('absent', 'the function gave nothing');
  if (depth > MAX_DEPTH)
    throw new EvaluationFailure('value', 'the function gave an object that is nested too deep');
  if (typeof native === 'number') return Number.isSafeInteger(native) ? BigInt(native) : native;
  if (
    native === null ||
    typeof native === 'string' ||
    typeof native === 'boolean' ||
    typeof native === 'bigint'
  )
    return native;
  if (native instanceof Uint8Array) return native;
  if (native instanceof Date) return timeOf(native);
  if (Array.isArray(native)) return native.map((item) => toValue(item, depth + 1));
  if (native instanceof Map)
    return new Map([...native].map(([key, value]) => [toValue(key), toValue(value, depth + 1)]));
  if (typeof native !== 'object') throw new EvaluationFailure('type', `the function gave a ${typeof native}`);
  if ('then' in native && typeof native.then === 'function') {
    throw new EvaluationFailure('type', 'the function gave a promise: functions in a config must not wait');
  }
  const members = Object.entries(native).filter(([, value]) => value !== undefined);
  return new Map(members.map(([name, value]) => [name, toValue(value, depth + 1)]));
}
