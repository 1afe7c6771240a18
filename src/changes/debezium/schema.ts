import type { Value } from '../../expression/index.ts';

/** A column as the schema of an event describes it. */
export interface ColumnType {
  /** `int64`, `string`, `bytes`, … */
  readonly type: string;
  /** The meaning, where it is not just the type: `io.debezium.time.Date`. */
  readonly name: string | null;
  readonly parameters: ReadonlyMap<Value, Value> | null;
  readonly optional: boolean;
  /** The column's DEFAULT, as a value would be spelled; undefined: it has none. */
  readonly default: Value | undefined;
}

export type RowSchema = ReadonlyMap<string, ColumnType>;

export interface RowSchemas {
  readonly before: RowSchema | null;
  readonly after: RowSchema | null;
}

const NONE: RowSchemas = { before: null, after: null };

/** The types of the two rows of an event; what isn't there, or isn't shaped as Debezium shapes it, is null. */
export function readSchema(envelope: Value | undefined): RowSchemas {
  const fields = fieldsOf(envelope);
  if (fields === null) return NONE;
  const row = (name: string) => {
    const columns = fieldsOf(fields.find((field) => field.get('field') === name));
    return columns === null
      ? null
      : new Map(columns.map((column) => [String(column.get('field')), typeOf(column)]));
  };
  return { before: row('before'), after: row('after') };
}

function fieldsOf(struct: Value | undefined): ReadonlyMap<Value, Value>[] | null {
  const fields = struct instanceof Map ? (struct as ReadonlyMap<Value, Value>).get('fields') : undefined;
  return Array.isArray(fields)
    ? fields.filter((field): field is Map<Value, Value> => field instanceof Map)
    : null;
}

function typeOf(column: ReadonlyMap<Value, Value>): ColumnType {
  const name = column.get('name');
  const parameters = column.get('parameters');
  return {
    type: String(column.get('type')),
    name: typeof name === 'string' ? name : null,
    parameters: parameters instanceof Map ? parameters : null,
    optional: column.get('optional') === true,
    default: column.get('default'),
  };
}
