import { JsonError, parseJson, type Value } from '../../expression/index.ts';
import { Spelled } from '../contract.ts';

/**
 * Canonical values of what databases spell as text, so that a tag made of a row equals one made of a service's
 * JSON. Text that is not what its type says is kept as it stands.
 */

export function integerValue(text: string): Value {
  return /^-?\d+$/.test(text) ? BigInt(text) : text;
}

/** Exact: without trailing zeros; what a double can't hold to the last digit stays text. */
export function decimalValue(text: string): Value {
  const [, sign, whole, fraction = ''] = /^(-?)0*(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const rest = fraction.replace(/0+$/, '');
  if (rest === '') return BigInt(`${sign}${whole}`);
  const plain = `${sign}${whole}.${rest}`;
  const number = Number(plain);
  return String(number) === plain ? number : plain;
}

/** Of a decimal column: many services pass its text on as they got it, with the zeros at its end (`"19.90"`). */
export function decimalCell(text: string): Value | Spelled {
  const value = decimalValue(text);
  return String(value) === text ? value : new Spelled(value, [text]);
}

/** Of CHAR(n), whose spaces at the end mean nothing; services give them with it or without. */
export function paddedCell(text: string): Value | Spelled {
  const value = withoutPadding(text);
  return value === text ? text : new Spelled(value, [text]);
}

/** Of a column that services take for a boolean, or for a number: 0 and 1 are false and true as well. */
export function tinyCell(number: bigint): Value | Spelled {
  return number === 0n || number === 1n ? new Spelled(number, [number === 1n]) : number;
}

/** Of MySQL's FLOAT: its readers spell one value in several ways, unless it needs few digits; null: nobody can tell. */
export function singleValue(number: number): Value | null {
  const spelled = Number(number.toPrecision(6));
  return spelled === number ? floatValue(String(number)) : null;
}

/** Of single or double precision, in the shortest digits, as databases and JSON spell them. */
export function floatValue(text: string): Value {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const number = Number(text);
  return Number.isFinite(number) && text.trim() !== '' ? number : text;
}

export function uuidValue(text: string): Value {
  return text.toLowerCase();
}

/** Objects are maps; numbers keep their digits. */
export function jsonValue(text: string): Value {
  try {
    return parseJson(text, { duplicates: 'last' });
  } catch (error) {
    if (error instanceof JsonError) return text;
    throw error;
  }
}

/**
 * What services may make of text. Of a decimal that stands so: as many digits as a double holds, where it has more (`1e-7`
 * of `0.0000001` is the same), and none of the zeros that a feed leaves at its end. Of what a CHAR(n) of a feed, or a
 * collation that pads, may hold: itself without the spaces at its end. Empty where that is the text itself.
 */
export function otherSpellings(text: string): Value[] {
  if (text.endsWith(' ')) return [withoutPadding(text)];
  if (!/^-?\d+\.\d+$/.test(text)) return [];
  const exact = decimalValue(text);
  const rounded = Number(text);
  return exact === rounded || exact === text ? [rounded] : [exact, rounded];
}

function withoutPadding(text: string): string {
  return text.replace(/ +$/, '');
}
