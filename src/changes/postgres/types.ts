import type { Value } from '../../expression/index.ts';
import { canonical, type Spelled } from '../contract.ts';
import { decimalCell, floatValue, integerValue, jsonValue, paddedCell, uuidValue } from '../mapping/index.ts';
import { readArray } from './array.ts';

/** Reads the text of a value; null where the type isn't known yet. */
export type Read = (text: string) => Value | Spelled;

const asText: Read = (text) => text;
const asBoolean: Read = (text) => text === 't';

/** Types that come with the server, by their number; all others of it are taken as text. */
const BUILT_IN = new Map<number, Read>([
  [16, asBoolean],
  ...[20, 21, 23, 26].map((oid) => [oid, integerValue] as const),
  ...[700, 701].map((oid) => [oid, floatValue] as const),
  [1042, paddedCell],
  [1700, decimalCell],
  [2950, uuidValue],
  ...[114, 3802].map((oid) => [oid, jsonValue] as const),
]);

/** Arrays of what is taken as text: `text`, `name`, `inet`, `cidr`, dates and times. */
const TEXT_ARRAYS = [1009, 1014, 1015, 1003, 1041, 651, 1182, 1115, 1185, 1183, 1270, 1187];

const BUILT_IN_ARRAYS = new Map<number, number>([
  [1000, 16],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1028, 26],
  [1021, 700],
  [1022, 701],
  [1231, 1700],
  [2951, 2950],
  [199, 114],
  [3807, 3802],
  ...TEXT_ARRAYS.map((oid) => [oid, 25] as const),
]);

/** The first number of what users define. */
const FIRST_OWN = 16_384;

/** A row of `pg_type`. */
export interface TypeRow {
  oid: number;
  /** Of a domain; 0 otherwise. */
  base: number;
  /** Of an array; 0 otherwise. */
  element: number;
}

/** How each type's text is read. Domains are read as what they stand on, arrays as lists. */
export class TypeReaders {
  private readonly own: ReadonlyMap<number, TypeRow>;

  constructor(own: readonly TypeRow[]) {
    this.own = new Map(own.map((row) => [row.oid, row]));
  }

  /** Null where it was made after the types were looked up. */
  of(oid: number): Read | null {
    if (oid < FIRST_OWN) {
      const element = BUILT_IN_ARRAYS.get(oid);
      if (element !== undefined) return arrayOf(BUILT_IN.get(element) ?? asText);
      return BUILT_IN.get(oid) ?? asText;
    }
    const row = this.own.get(oid);
    if (row === undefined) return null;
    if (row.base !== 0) return this.of(row.base);
    if (row.element === 0) return asText;
    const element = this.of(row.element);
    return element === null ? null : arrayOf(element);
  }
}

function arrayOf(element: Read): Read {
  return (text) => readArray(text, (item) => canonical(element(item))) ?? text;
}
