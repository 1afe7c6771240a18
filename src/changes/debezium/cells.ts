import type { Value } from '../../expression/index.ts';
import { type Cell, type Row, type Spelled, UNKNOWN } from '../contract.ts';
import { decimalCell, jsonValue, tinyCell, uuidValue } from '../mapping/values.ts';
import type { Members } from './envelope.ts';
import type { ColumnType, RowSchema } from './schema.ts';

/** The text that stands in for a large value which the change did not touch, in each spelling that Debezium has. */
const UNAVAILABLE = '__debezium_unavailable_value';
const UNAVAILABLE_BYTES = Buffer.from(UNAVAILABLE);
const UNAVAILABLE_TEXTS = new Set([
  UNAVAILABLE,
  UNAVAILABLE_BYTES.toString('base64'),
  UNAVAILABLE_BYTES.toString('base64url'),
  UNAVAILABLE_BYTES.toString('hex'),
]);

/** A row of an event. Values that Debezium encodes are decoded as far as the event's schema tells their type. */
export function readRow(row: Members, schema: RowSchema | null): Row {
  const cells = new Map<string, Cell>();
  for (const [name, value] of row)
    cells.set(String(name), readCell(value, schema?.get(String(name)) ?? null));
  return cells;
}

function readCell(value: Value, type: ColumnType | null): Cell {
  if (value === null) return null;
  if (isUnavailable(value)) return UNKNOWN;
  if (type === null) return value;
  // So MySQL's BOOLEAN comes, which is TINYINT(1).
  if (type.name === null) return type.type === 'int16' && typeof value === 'bigint' ? tinyCell(value) : value;
  return DECODERS[type.name]?.(value, type) ?? value;
}

function isUnavailable(value: Value): boolean {
  if (typeof value === 'string') return UNAVAILABLE_TEXTS.has(value);
  if (Array.isArray(value)) return isUnavailableList(value);
  return value instanceof Map && value.size === 1 && value.has(UNAVAILABLE);
}

/** A list of one such text, or (columns of integer arrays) of its bytes. */
function isUnavailableList(items: readonly Value[]): boolean {
  if (items.length === 1) return isUnavailable(items[0]!);
  if (items.length !== UNAVAILABLE_BYTES.length) return false;
  return items.every((item, index) => item === BigInt(UNAVAILABLE_BYTES[index]!));
}

/** Undefined: the value is not what its type says, and is taken as it stands. */
type Decoder = (value: Value, type: ColumnType) => Value | Spelled | undefined;

const days = (value: Value) => dateText(scaled(value, 86_400_000_000n))?.slice(0, 10);
const since1970 = (micros: (value: bigint) => bigint): Decoder => {
  return (value) => (typeof value === 'bigint' ? dateText(micros(value)) : undefined);
};
const milliseconds = since1970((value) => value * 1000n);

/** By the names that Debezium and Kafka Connect give to types. */
const DECODERS: Readonly<Record<string, Decoder>> = {
  'org.apache.kafka.connect.data.Decimal': (value, type) =>
    typeof value === 'string' ? decimal(value, Number(type.parameters?.get('scale') ?? 0)) : undefined,
  'io.debezium.data.VariableScaleDecimal': (value) => {
    if (!(value instanceof Map)) return undefined;
    const unscaled = value.get('value');
    return typeof unscaled === 'string' ? decimal(unscaled, Number(value.get('scale') ?? 0)) : undefined;
  },
  'io.debezium.data.Uuid': (value) => (typeof value === 'string' ? uuidValue(value) : undefined),
  'io.debezium.data.Json': (value) => (typeof value === 'string' ? jsonValue(value) : undefined),
  'io.debezium.time.Date': days,
  'org.apache.kafka.connect.data.Date': days,
  'io.debezium.time.Timestamp': milliseconds,
  'org.apache.kafka.connect.data.Timestamp': milliseconds,
  'io.debezium.time.MicroTimestamp': since1970((value) => value),
  'io.debezium.time.NanoTimestamp': since1970((value) => value / 1000n),
};

function scaled(value: Value, factor: bigint): bigint | null {
  return typeof value === 'bigint' ? value * factor : null;
}

/** `2026-11-25 13:05:00.25`, of microseconds since 1970; undefined beyond what a Date can hold. */
function dateText(micros: bigint | null): string | undefined {
  if (micros === null) return undefined;
  const second = micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n);
  const date = new Date(Number(second / 1000n));
  if (Number.isNaN(date.getTime())) return undefined;
  const fraction = String(micros - second)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return date.toISOString().slice(0, -5).replace('T', ' ') + (fraction === '' ? '' : `.${fraction}`);
}

function decimal(base64: string, scale: number): Value | Spelled | undefined {
  const text = decimalText(base64, scale);
  return text === undefined ? undefined : decimalCell(text);
}

/** Base64 of an integer in two's complement, most significant byte first: `AJY=` with scale 2 is 1.50. */
function decimalText(base64: string, scale: number): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64 || !Number.isInteger(scale)) return undefined;
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  if (scale <= 0) return String(unscaled * 10n ** BigInt(Math.min(-scale, MAX_SCALE)));
  if (scale > MAX_SCALE) return undefined;
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** PostgreSQL's numeric has at most so many digits after the point. */
const MAX_SCALE = 16_383;
