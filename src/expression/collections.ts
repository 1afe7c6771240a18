import { hash } from 'node:crypto';
import { identityOf } from './equality.ts';
import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import { badValue, either, type FunctionTable, overload } from './function.ts';
import { toJson } from './json.ts';
import { numeric } from './numbers.ts';
import { ARITHMETIC, compare } from './operators.ts';
import { takeSpelling } from './spelling.ts';
import { BYTES, DYN, INT, LIST, listOf, MAP, mapOf, STRING, type Type, typeName } from './types.ts';
import { Duration, type Fields, type Value } from './value.ts';

type Members = ReadonlyMap<Value, Value> | Fields;

const sameList = ([list]: readonly Type[]): Type => (list?.kind === 'list' ? list : LIST);
const elementOf = ([list]: readonly Type[]): Type => (list?.kind === 'list' ? list.element : DYN);

/** Of an empty list it is 0, an int, whatever the list is of. */
const sumOf = (types: readonly Type[]): Type => (elementOf(types).kind === 'int' ? INT : DYN);

/** Functions on lists and maps, and those that make one text out of a value. */
export const COLLECTION_FUNCTIONS: FunctionTable = {
  sort: either(overload([LIST], sameList, sort)),
  distinct: either(overload([LIST], sameList, distinct)),
  flatten: either(
    overload(
      [LIST],
      ([list]) => (list?.kind === 'list' && list.element.kind === 'list' ? list.element : LIST),
      flatten,
    ),
  ),
  sum: either(overload([LIST], sumOf, sum)),
  merge: either(overload([MAP, MAP], mapOf(DYN, DYN), merge)),
  pick: either(
    overload([MAP, listOf(DYN)], mapOf(DYN, DYN), (frame, map: Members, names: Value[]) =>
      choose(frame, map, names, true),
    ),
  ),
  omit: either(
    overload([MAP, listOf(DYN)], mapOf(DYN, DYN), (frame, map: Members, names: Value[]) =>
      choose(frame, map, names, false),
    ),
  ),
  base64: either(
    overload([STRING], STRING, (frame, text: string) => base64(frame, Buffer.from(text))),
    overload([BYTES], STRING, base64),
  ),
  sha256: either(
    overload([STRING], STRING, (frame, text: string) => sha256(frame, text)),
    overload([BYTES], STRING, sha256),
  ),
  json: either(
    overload([DYN], STRING, (frame, value: Value) => toJson(value, (length) => frame.spendText(length))),
  ),
};

function sort(frame: Frame, list: readonly Value[]): Value[] {
  frame.spend(list.length);
  return [...list].sort((left, right) => {
    frame.spend(1 / 4);
    const order = compare(frame, left, right, 'sort');
    if (Number.isNaN(order)) throw badValue('a list with NaN can not be sorted');
    return order;
  });
}

function distinct(frame: Frame, list: readonly Value[]): Value[] {
  const seen = new Set<string>();
  return list.filter((item) => {
    const identity = identityOf(frame, item);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

/** Lists in a list are replaced by what they hold: one level. */
function flatten(frame: Frame, list: readonly Value[]): Value[] {
  const flat: Value[] = [];
  for (const item of list) {
    frame.spend(Array.isArray(item) ? item.length + 1 : 1);
    if (Array.isArray(item)) for (const inner of item) flat.push(inner);
    else flat.push(item);
  }
  return flat;
}

/** The sum of numbers or of durations; 0 of an empty list. */
function sum(frame: Frame, list: readonly Value[]): Value {
  frame.spend(list.length);
  if (list.length === 0) return 0n;
  for (const item of list) {
    if (numeric(item) !== null || item instanceof Duration) continue;
    throw new EvaluationFailure('type', `sum() takes numbers or durations, not ${typeName(item)}`);
  }
  return list.reduce((total, item) => ARITHMETIC['+'](frame, total, item));
}

function merge(frame: Frame, left: Members, right: Members): Value {
  const merged = new Map<Value, Value>();
  for (const members of [left, right]) {
    for (const [key, value] of members.entries()) {
      frame.spend(1);
      merged.set(key, value);
      takeSpelling(members, merged, key, value);
    }
  }
  return merged;
}

function choose(frame: Frame, map: Members, names: readonly Value[], wanted: boolean): Value {
  frame.spend(names.length);
  const chosen = new Set(names);
  const result = new Map<Value, Value>();
  for (const [key, value] of map.entries()) {
    frame.spend(1);
    if (chosen.has(key) !== wanted) continue;
    result.set(key, value);
    takeSpelling(map, result, key, value);
  }
  return result;
}

function base64(frame: Frame, bytes: Uint8Array): string {
  frame.spendText(bytes.length * 2);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** In lower-case hex. */
function sha256(frame: Frame, data: string | Uint8Array): string {
  frame.spendText(data.length);
  return hash('sha256', data, 'hex');
}
