import { EvaluationFailure } from './failure.ts';
import { Duration, Timestamp, Uint, type Value } from './value.ts';

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);
const UINT_MAX = 2n ** 64n - 1n;
const SECOND = 1_000_000_000n;
/** Years 1 to 9999, in nanoseconds since 1970: what CEL's timestamps may be. */
const TIME_MIN = -62_135_596_800n * SECOND;
const TIME_MAX = 253_402_300_800n * SECOND - 1n;
/** About 10,000 years: what CEL's durations may be. */
const DURATION_MAX = 315_576_000_000n * SECOND;

const INT_RANGE = new EvaluationFailure('value', 'the result does not fit into an int (64 bits)');
const UINT_RANGE = new EvaluationFailure(
  'value',
  'the result does not fit into a uint (64 bits, not negative)',
);
const TIME_RANGE = new EvaluationFailure('value', 'a timestamp must lie in the years 1 to 9999');
const DURATION_RANGE = new EvaluationFailure('value', 'a duration must be shorter than 10,000 years');

export function checkedInt(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw INT_RANGE;
  return value;
}

export function checkedUint(value: bigint): Uint {
  if (value > UINT_MAX || value < 0n) throw UINT_RANGE;
  return new Uint(value);
}

export function checkedTime(nanoseconds: bigint): Timestamp {
  if (nanoseconds < TIME_MIN || nanoseconds > TIME_MAX) throw TIME_RANGE;
  return new Timestamp(nanoseconds);
}

export function checkedDuration(nanoseconds: bigint): Duration {
  if (nanoseconds < -DURATION_MAX || nanoseconds > DURATION_MAX) throw DURATION_RANGE;
  return new Duration(nanoseconds);
}

/** Any of the three kinds of number as what JavaScript compares exactly; null for anything else. */
export function numeric(value: Value): number | bigint | null {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : null;
}

/**
 * What a value is as the key of a map: 1, 1u and 1.0 are the same key. Null for what is no key.
 */
export function mapKey(value: Value): string | bigint | boolean | null {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  if (value instanceof Uint) return value.value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : null;
}

/** The position in a list that a value names, -1 for a number that can't be one; null for what is no number. */
export function listIndex(value: Value): number | null {
  const number = numeric(value);
  if (number === null) return null;
  const index = Number(number);
  return Number.isInteger(index) && index >= 0 ? index : -1;
}
