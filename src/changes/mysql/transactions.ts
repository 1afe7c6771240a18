import type { AnyBinlogEvent, RowData, RowsEvent, TableMapEntry, UpdateRowData } from '@vlasky/zongji';
import type { Mapping, RowChange, Touched } from '../contract.ts';
import type { Cascades } from './cascades.ts';
import { readRow } from './rows.ts';
import { concerns, definesKeys, effectOf } from './statements.ts';

/** A transaction of the log, at its end. */
export interface Transaction {
  readonly touched: Touched;
  readonly committedAt: number;
  readonly gtid: string | null;
  /** It has defined foreign keys. */
  readonly changesKeys: boolean;
}

const ROW_EVENTS = { WriteRows: 'insert', UpdateRows: 'update', DeleteRows: 'delete' } as const;

/** Gathers events of the log into transactions. */
export class Transactions {
  private readonly mapping: Mapping;
  private readonly databases: ReadonlySet<string>;
  private readonly cascades: Cascades;
  private touched: Touched;

  constructor(mapping: Mapping, cascades: Cascades) {
    this.mapping = mapping;
    this.cascades = cascades;
    this.databases = new Set([...mapping.tables.keys()].map((table) => table.slice(0, table.indexOf('.'))));
    this.touched = mapping.touched();
  }

  /** Null, but at the end of a transaction. */
  add(event: AnyBinlogEvent): Transaction | null {
    const type = event.getTypeName();
    if (type === 'Xid' || type === 'XaPrepare') return this.end(event);
    if (type === 'Query') return this.statement(event as AnyBinlogEvent & { query: string; schema: string });
    if (type === 'WriteRows' || type === 'UpdateRows' || type === 'DeleteRows')
      this.rows(ROW_EVENTS[type], event as unknown as RowsEvent & WithBits);
    return null;
  }

  private end(event: AnyBinlogEvent, changesKeys = false): Transaction {
    const { touched } = this;
    this.touched = this.mapping.touched();
    return { touched, committedAt: event.timestamp, gtid: event.gtid ?? null, changesKeys };
  }

  private statement(event: AnyBinlogEvent & { query: string; schema: string }): Transaction | null {
    const effect = effectOf(event.query, event.schema);
    if (effect.kind === 'commit') return this.end(event);
    const changesKeys = definesKeys(event.query);
    if (effect.kind === 'nothing') return changesKeys ? this.end(event, true) : null;
    if (effect.kind === 'tables') {
      for (const table of effect.tables) this.touched.spoil(table, null);
      return this.end(event, changesKeys);
    }
    if (concerns(event.query, event.schema, this.databases))
      this.touched.spoil(null, effect.rows ? 'rows came as a statement: binlog_format is not ROW' : null);
    // Rows by statement stand inside a transaction, whose end is still to come.
    return effect.rows ? null : this.end(event, changesKeys);
  }

  private rows(op: 'insert' | 'update' | 'delete', event: RowsEvent & WithBits): void {
    const table = event.tableMap[event.tableId];
    if (table === undefined) return;
    const name = `${table.parentSchema}.${table.tableName}`;
    const wanted = this.mapping.tables.get(name);
    if (wanted !== undefined)
      for (const row of event.rows) this.touched.add(changeOf(name, op, row, event, table, wanted.columns));
    if (op === 'insert' || !this.cascades.parents.has(name)) return;
    const columns = this.cascades.columnsOf(name);
    for (const row of event.rows)
      this.cascades.touch(changeOf(name, op, row, event, table, columns), this.touched);
  }
}

interface WithBits {
  readonly columns_present_bitmap?: Buffer;
  readonly columns_present_bitmap2?: Buffer;
  readonly rows: readonly (RowData | UpdateRowData)[];
}

function changeOf(
  name: string,
  op: 'insert' | 'update' | 'delete',
  row: RowData | UpdateRowData,
  bits: WithBits,
  table: TableMapEntry,
  wanted: ReadonlySet<string> | null,
): RowChange {
  const first = bits.columns_present_bitmap ?? null;
  if (op === 'update') {
    const { before, after } = row as UpdateRowData;
    return {
      table: name,
      op,
      before: readRow(before, table, first, wanted),
      after: readRow(after, table, bits.columns_present_bitmap2 ?? null, wanted),
    };
  }
  const only = readRow(row as RowData, table, first, wanted);
  return { table: name, op, before: op === 'delete' ? only : null, after: op === 'insert' ? only : null };
}
