import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import { checkedDuration, checkedInt, checkedTime, checkedUint } from './numbers.ts';
import type { BinaryOperator } from './syntax.ts';
import { typeName } from './types.ts';
import { Duration, Timestamp, Uint, type Value } from './value.ts';

const ZERO = new EvaluationFailure('value', 'division by zero');

export type Arithmetic = (frame: Frame, left: Value, right: Value) => Value;

/** Integers stay exact; with a double beside it, an integer becomes one. */
function arithmetic(
  sign: BinaryOperator,
  ints: (left: bigint, right: bigint) => bigint,
  doubles: ((left: number, right: number) => number) | null,
  others?: (frame: Frame, left: Value, right: Value) => Value | undefined,
): Arithmetic {
  return (frame, left, right) => {
    if (typeof left === 'bigint' && typeof right === 'bigint') return checkedInt(ints(left, right));
    if (left instanceof Uint && right instanceof Uint) return checkedUint(ints(left.value, right.value));
    if (doubles !== null && (typeof left === 'number' || typeof right === 'number')) {
      const a = asDouble(left);
      const b = asDouble(right);
      if (a !== null && b !== null) return doubles(a, b);
    }
    const result = others?.(frame, left, right);
    if (result === undefined) throw notFor(sign, left, right);
    return result;
  };
}

function asDouble(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Uint ? Number(value.value) : null;
}

export function notFor(operator: string, left: Value, right: Value): EvaluationFailure {
  return new EvaluationFailure(
    'type',
    `"${operator}" does not take ${typeName(left)} and ${typeName(right)}`,
  );
}

function nonZero(divisor: bigint): bigint {
  if (divisor === 0n) throw ZERO;
  return divisor;
}

function join(frame: Frame, left: Value, right: Value): Value | undefined {
  if (typeof left === 'string' && typeof right === 'string') {
    frame.spendText(left.length + right.length);
    return left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    frame.spend(left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    frame.spendText(left.length + right.length);
    return Buffer.concat([left, right]);
  }
  if (left instanceof Duration) {
    if (right instanceof Duration) return checkedDuration(left.nanoseconds + right.nanoseconds);
    if (right instanceof Timestamp) return checkedTime(right.nanoseconds + left.nanoseconds);
  }
  if (left instanceof Timestamp && right instanceof Duration)
    return checkedTime(left.nanoseconds + right.nanoseconds);
  return undefined;
}

function difference(_frame: Frame, left: Value, right: Value): Value | undefined {
  if (left instanceof Timestamp && right instanceof Timestamp)
    return checkedDuration(left.nanoseconds - right.nanoseconds);
  if (left instanceof Timestamp && right instanceof Duration)
    return checkedTime(left.nanoseconds - right.nanoseconds);
  if (left instanceof Duration && right instanceof Duration)
    return checkedDuration(left.nanoseconds - right.nanoseconds);
  return undefined;
}

export const ARITHMETIC: Readonly<Record<'+' | '-' | '*' | '/' | '%', Arithmetic>> = {
  '+': arithmetic(
    '+',
    (l, r) => l + r,
    (l, r) => l + r,
    join,
  ),
  '-': arithmetic(
    '-',
    (l, r) => l - r,
    (l, r) => l - r,
    difference,
  ),
  '*': arithmetic(
    '*',
    (l, r) => l * r,
    (l, r) => l * r,
  ),
  '/': arithmetic(
    '/',
    (l, r) => l / nonZero(r),
    (l, r) => l / r,
  ),
  '%': arithmetic('%', (l, r) => l % nonZero(r), null),
};

export function negate(value: Value): Value {
  if (typeof value === 'bigint') return checkedInt(-value);
  if (typeof value === 'number') return -value;
  if (value instanceof Duration) return new Duration(-value.nanoseconds);
  throw new EvaluationFailure('type', `"-" does not take ${typeName(value)}`);
}

/** Below, equal or above: negative, 0, positive; NaN where a NaN is compared. Fails for what has no order. */
export function compare(frame: Frame, left: Value, right: Value, operator: string): number {
  const a = ordinal(left);
  const b = ordinal(right);
  if (a !== null && b !== null && kindOf(left) === kindOf(right))
    return a < b ? -1 : a > b ? 1 : a >= b ? 0 : Number.NaN;
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(frame, left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    frame.spendText(Math.min(left.length, right.length));
    return Buffer.compare(left, right);
  }
  throw notFor(operator, left, right);
}

function ordinal(value: Value): number | bigint | null {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Uint) return value.value;
  return value instanceof Timestamp || value instanceof Duration ? value.nanoseconds : null;
}

function kindOf(value: Value): string {
  const name = typeName(value);
  return name === 'int' || name === 'uint' ? 'double' : name;
}

/** By code points: JavaScript's own order of code units differs above U+FFFF. */
function compareTexts(frame: Frame, left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  frame.spendText(length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for what lies above U+FFFF, so they come after U+E000 to U+FFFF. */
function rank(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
