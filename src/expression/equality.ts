import type { Frame } from './frame.ts';
import { mapKey, numeric } from './numbers.ts';
import { CelType, Duration, type Fields, hasMembers, Timestamp, type Value } from './value.ts';

/** Up to here comparing two texts costs next to nothing. */
const LONG_TEXT = 256;

/** CEL's `==`: numbers by what they are worth, lists and maps by what they hold, different types unequal. */
export function equal(frame: Frame, left: Value, right: Value): boolean {
  if (typeof left === 'string' || typeof right === 'string') {
    if (left === right && (left as string).length > LONG_TEXT) frame.spendText((left as string).length);
    return left === right;
  }
  if (typeof left === 'boolean' || left === null || typeof right === 'boolean' || right === null)
    return left === right;
  const number = numeric(left);
  if (number !== null) {
    const other = numeric(right);
    // Between a bigint and a number, == compares exactly.
    // biome-ignore lint/suspicious/noDoubleEquals: exactness between bigint and number is what == is for
    return other !== null && number == other;
  }
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(frame, left, right);
  if (left instanceof Uint8Array) return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanoseconds === right.nanoseconds;
  if (left instanceof Duration) return right instanceof Duration && left.nanoseconds === right.nanoseconds;
  if (left instanceof CelType) return right instanceof CelType && left.name === right.name;
  return hasMembers(left) && hasMembers(right) && equalMaps(frame, left, right);
}

function equalLists(frame: Frame, left: readonly Value[], right: readonly Value[]): boolean {
  if (left.length !== right.length) return false;
  frame.spend(left.length);
  return left.every((item, i) => equal(frame, item, right[i]!));
}

type Members = ReadonlyMap<Value, Value> | Fields;

function equalMaps(frame: Frame, left: Members, right: Members): boolean {
  const others =
    right instanceof Map ? (right as ReadonlyMap<Value, Value>) : new Map<Value, Value>(right.entries());
  let count = 0;
  for (const [key, value] of left.entries()) {
    frame.spend(1);
    const other = others.get(key);
    if (other === undefined || !equal(frame, value, other)) return false;
    count++;
  }
  return count === others.size;
}

/** CEL's `in`: an element of a list, a key of a map. Null where the right side is neither. */
export function contains(frame: Frame, item: Value, collection: Value): boolean | null {
  if (Array.isArray(collection)) {
    frame.spend(collection.length / 8);
    if (typeof item === 'string') return collection.includes(item);
    return collection.some((element) => equal(frame, item, element));
  }
  if (!hasMembers(collection)) return null;
  const key = mapKey(item);
  if (key === null) return false;
  if (collection instanceof Map) return collection.has(key);
  return typeof key === 'string' && (collection as Fields).get(key) !== undefined;
}

/**
 * A text that is the same for equal values and different for others: what `distinct` compares by.
 * Paid for by its length.
 */
export function identityOf(frame: Frame, value: Value): string {
  frame.spend(1);
  if (typeof value === 'string') {
    frame.spendText(value.length);
    return `s${value.length}:${value}`;
  }
  const number = numeric(value);
  if (number !== null) return `n${Number.isInteger(number) ? BigInt(number) : number}`;
  if (Array.isArray(value)) return `[${value.map((item) => identityOf(frame, item)).join()}]`;
  if (value instanceof Uint8Array) {
    frame.spendText(value.length);
    return `b${Buffer.from(value).toString('base64')}`;
  }
  if (value instanceof Timestamp) return `t${value.nanoseconds}`;
  if (value instanceof Duration) return `d${value.nanoseconds}`;
  if (value instanceof CelType) return `y${value.name}`;
  if (!hasMembers(value)) return String(value);
  const members = [...value.entries()].map(
    ([key, member]) => `${identityOf(frame, key)}=${identityOf(frame, member)}`,
  );
  return `{${members.sort().join()}}`;
}
