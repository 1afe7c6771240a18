import type { ColumnInfo, RowData, TableMapEntry } from '@vlasky/zongji';
import type { Value } from '../../expression/index.ts';
import { type Cell, type Row, UNKNOWN } from '../contract.ts';
import { decimalCell, floatValue, jsonValue, singleValue, tinyCell } from '../mapping/values.ts';

/** MySQL's codes of column types, as its protocol numbers them. */
const TINY = 1;
const INTEGERS = new Set([2, 3, 8, 9, 13]);
const FLOAT = 4;
const DOUBLE = 5;
const DECIMAL = 246;
const JSON_TYPE = 245;
const TIMES = new Set([11, 19]);

/**
 * A row of the binlog. `present` has a bit for each column: one that wasn't sent (`binlog_row_image` other than
 * FULL) looks like NULL, and is UNKNOWN here. So is binary data, which no JSON spells, a FLOAT that its readers spell
 * in different ways, and a negative TIME, which the library makes another one of (-12:29:64 of -12:30:00).
 */
export function readRow(
  row: RowData,
  table: TableMapEntry,
  present: Buffer | null,
  wanted: ReadonlySet<string> | null,
): Row {
  const cells = new Map<string, Cell>();
  for (const [index, column] of (table.columns ?? []).entries()) {
    if (wanted !== null && !wanted.has(column.name)) continue;
    cells.set(column.name, isPresent(present, index) ? readCell(row[column.name], column) : UNKNOWN);
  }
  return cells;
}

function isPresent(bits: Buffer | null, index: number): boolean {
  return bits === null || ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function readCell(value: unknown, { type }: Pick<ColumnInfo, 'type'>): Cell {
  if (value === null || value === undefined) return null;
  // BOOLEAN is TINYINT(1), and the log does not tell its width.
  if (type === TINY) return tinyCell(BigInt(value as number | string));
  if (INTEGERS.has(type)) return BigInt(value as number | string);
  if (type === FLOAT) return singleValue(Number(value)) ?? UNKNOWN;
  if (type === DOUBLE) return floatValue(String(value));
  if (type === DECIMAL) return decimalCell(String(value));
  if (type === JSON_TYPE) return jsonValue(typeof value === 'string' ? value : JSON.stringify(value));
  if (TIMES.has(type) && String(value).startsWith('-')) return UNKNOWN;
  if (typeof value === 'string') return value;
  // A column of type SET.
  if (Array.isArray(value)) return value.map(String).join(',') satisfies Value;
  return UNKNOWN;
}
