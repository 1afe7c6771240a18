import type { Frame } from './frame.ts';
import { badValue, type FunctionTable, global, overload } from './function.ts';
import { checkedInt, checkedTime, checkedUint } from './numbers.ts';
import { durationText, parseDuration, parseTimestamp, SECOND, timestampText, wholeUnits } from './time.ts';
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, UINT } from './types.ts';
import type { Duration, Timestamp, Uint, Value } from './value.ts';

/** CEL's conversions between types, and `size`. */
export const CONVERSIONS: FunctionTable = {
  int: global(
    overload([INT], INT, (_, x: bigint) => x),
    overload([UINT], INT, (_, x: Uint) => checkedInt(x.value)),
    overload([DOUBLE], INT, (_, x: number) => checkedInt(wholeNumber(x))),
    overload([STRING], INT, (frame, x: string) => checkedInt(digits(frame, x, 'int'))),
    overload([TIMESTAMP], INT, (_, x: Timestamp) => wholeUnits(x.nanoseconds, SECOND)),
    overload([DURATION], INT, (_, x: Duration) => x.nanoseconds / SECOND),
  ),
  uint: global(
    overload([UINT], UINT, (_, x: Uint) => x),
    overload([INT], UINT, (_, x: bigint) => checkedUint(x)),
    overload([DOUBLE], UINT, (_, x: number) => checkedUint(wholeNumber(x))),
    overload([STRING], UINT, (frame, x: string) => checkedUint(digits(frame, x, 'uint'))),
  ),
  double: global(
    overload([DOUBLE], DOUBLE, (_, x: number) => x),
    overload([INT], DOUBLE, (_, x: bigint) => Number(x)),
    overload([UINT], DOUBLE, (_, x: Uint) => Number(x.value)),
    overload([STRING], DOUBLE, (frame, x: string) => parseDouble(frame, x)),
  ),
  string: global(
    overload([STRING], STRING, (_, x: string) => x),
    overload([INT], STRING, (_, x: bigint) => x.toString()),
    overload([UINT], STRING, (_, x: Uint) => x.value.toString()),
    overload([DOUBLE], STRING, (_, x: number) => doubleText(x)),
    overload([BOOL], STRING, (_, x: boolean) => String(x)),
    overload([BYTES], STRING, (frame, x: Uint8Array) => utf8Text(frame, x)),
    overload([TIMESTAMP], STRING, (_, x: Timestamp) => timestampText(x)),
    overload([DURATION], STRING, (_, x: Duration) => durationText(x)),
  ),
  bytes: global(
    overload([BYTES], BYTES, (_, x: Uint8Array) => x),
    overload([STRING], BYTES, (frame, x: string) => {
      frame.spendText(x.length);
      return Buffer.from(x);
    }),
  ),
  bool: global(
    overload([BOOL], BOOL, (_, x: boolean) => x),
    overload([STRING], BOOL, (_, x: string) => parseBool(x)),
  ),
  timestamp: global(
    overload([TIMESTAMP], TIMESTAMP, (_, x: Timestamp) => x),
    overload([STRING], TIMESTAMP, (_, x: string) => parseTimestamp(x)),
    overload([INT], TIMESTAMP, (_, x: bigint) => checkedTime(x * SECOND)),
  ),
  duration: global(
    overload([DURATION], DURATION, (_, x: Duration) => x),
    overload([STRING], DURATION, (_, x: string) => parseDuration(x)),
  ),
  dyn: global(overload([DYN], DYN, (_, x: Value) => x)),
};

/** A double as text: the shortest that reads back as the same number. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as the text they encode; fails where they are no UTF-8. */
export function utf8Text(frame: Frame, bytes: Uint8Array): string {
  frame.spendText(bytes.length);
  try {
    return UTF8.decode(bytes);
  } catch {
    throw badValue('the bytes are not valid UTF-8');
  }
}

function wholeNumber(value: number): bigint {
  if (!Number.isFinite(value)) throw badValue(`${doubleText(value)} is no integer`);
  return BigInt(Math.trunc(value));
}

/** More digits than any integer of 64 bits has, leading zeros aside, need not be read. */
const MOST_DIGITS = 64;

function digits(frame: Frame, text: string, type: string): bigint {
  frame.spendText(text.length);
  const valid = type === 'int' ? /^[+-]?\d+$/ : /^\d+$/;
  if (text.length > MOST_DIGITS || !valid.test(text)) throw badValue(`${shown(text)} is no ${type}`);
  return BigInt(text.startsWith('+') ? text.slice(1) : text);
}

function parseDouble(frame: Frame, text: string): number {
  frame.spendText(text.length);
  if (text.length > MOST_DIGITS * 8) throw badValue(`${shown(text)} is no double`);
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    if (!Number.isFinite(value)) throw badValue(`${shown(text)} is larger than any double`);
    return value;
  }
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special === null) throw badValue(`${shown(text)} is no double`);
  if (special[2]!.toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function parseBool(text: string): boolean {
  if (/^(1|t|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|false|FALSE|False)$/.test(text)) return false;
  throw badValue(`${shown(text)} is no bool`);
}

/** The beginning of a text, for a message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
