import { toJson } from '../../expression/index.ts';
import { type Cell, type Row, UNKNOWN } from '../contract.ts';
import type { Members } from './envelope.ts';
import type { RowSchema } from './schema.ts';

/** What an event tells of the row before the change, and what is needed to know how far that can be believed. */
export interface OldRow {
  readonly table: string;
  readonly connector: string;
  readonly op: 'update' | 'delete';
  /** As it was sent, its cells read; null: it was not sent. */
  readonly before: Row | null;
  /** The same, its cells not read. */
  readonly sent: Members | null;
  readonly schema: RowSchema | null;
  readonly after: Row | null;
  /** Columns of the primary key; null: not known. */
  readonly key: ReadonlySet<string> | null;
}

/** No database has more tables than this whose ways are worth remembering. */
const MAX_TABLES = 10_000;

/**
 * How far the old rows of events can be believed.
 *
 * PostgreSQL with `REPLICA IDENTITY DEFAULT` gives Debezium only the key. In an update the old row is then
 * missing; in a delete its other columns are null *or the column's DEFAULT*, and nothing in the event says so.
 * A column that may be made up is UNKNOWN here, which costs a fence over the whole table where a tag needs it.
 * MySQL and MariaDB send whole rows (Debezium insists on `binlog_row_image=FULL`).
 */
export class OldRows {
  /** Has the table's last update come with a whole old row, as `REPLICA IDENTITY FULL` makes it? */
  private readonly whole = new Map<string, boolean>();

  read(event: OldRow): Row {
    if (event.connector !== 'postgresql')
      return event.before ?? keyAlone(event.after ?? new Map(), event.key);
    return event.op === 'update' ? this.ofUpdate(event) : this.ofDelete(event);
  }

  private ofUpdate({ table, before, after, key }: OldRow): Row {
    // No column of a primary key is null, but in the columns of an index alone it seems so (USING INDEX).
    const whole = before !== null && ![...(key ?? [])].some((name) => before.get(name) == null);
    if (this.whole.size >= MAX_TABLES) this.whole.clear();
    this.whole.set(table, whole);
    // An update that changes the key comes as a delete and an insert, so the key is as it was.
    return whole ? before : keyAlone(after ?? new Map(), key);
  }

  private ofDelete(event: OldRow): Row {
    const { before, key } = event;
    if (before === null) return new Map();
    const whole = this.whole.get(event.table);
    if (whole === true) return before;
    const others = [...before].filter(([name]) => key?.has(name) !== true);
    if (whole === undefined && others.every(([, cell]) => cell !== null)) {
      if (event.schema === null || others.some(([name]) => isReal(name, event))) return before;
    }
    const believed = (name: string) => key?.has(name) === true || isReal(name, event);
    return new Map([...before].map(([name, cell]) => [name, believed(name) ? cell : UNKNOWN]));
  }
}

function keyAlone(row: Row, key: ReadonlySet<string> | null): Row {
  return new Map(
    [...row].map(([name, cell]): [string, Cell] => [name, key?.has(name) === true ? cell : UNKNOWN]),
  );
}

/** Only a value that is neither null nor what the schema gives as the column's DEFAULT must have been in the row. */
function isReal(name: string, { sent, schema }: OldRow): boolean {
  const type = schema?.get(name);
  const value = sent?.get(name);
  if (type === undefined || value === undefined || value === null) return false;
  return type.default === undefined || toJson(value) !== toJson(type.default);
}
