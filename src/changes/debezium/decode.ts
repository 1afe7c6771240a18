import type { Value } from '../../expression/index.ts';
import type { Row, RowChange } from '../contract.ts';
import { readRow } from './cells.ts';
import { type Envelope, EnvelopeReader, type Members } from './envelope.ts';
import { OldRows } from './old-row.ts';
import { type Provenance, readProvenance } from './provenance.ts';

/** A message of a feed: the record of a topic, stream or subject, or the body of a request. */
export interface Message {
  /** Null or the text `default` (Redis): the record that follows a delete. */
  readonly value: string | null;
  /** The key's JSON; null: none came. */
  readonly key: string | null;
  /** Where it came from: `PREFIX.SCHEMA.TABLE`; null: not known. */
  readonly topic: string | null;
}

/** What a message means. */
export type Decoded =
  | { readonly kind: 'change'; readonly change: RowChange; readonly from: Provenance }
  /** Nothing that a cache could hold has changed. */
  | { readonly kind: 'nothing'; readonly why: Nothing; readonly from: Provenance | null }
  /** It may have changed all rows of these tables; null: of any. */
  | { readonly kind: 'tables'; readonly tables: readonly string[] | null; readonly from: Provenance | null }
  /** Poison: what it may have touched is the table, or, where that can't be told (null), anything. */
  | { readonly kind: 'unreadable'; readonly table: string | null; readonly why: string };

export type Nothing =
  | 'tombstone'
  | 'heartbeat'
  | 'transaction'
  | 'snapshot'
  | 'incremental snapshot'
  | 'message'
  | 'notification'
  | 'schema';

export interface DecoderOptions {
  /** Tables of the mapping, as the config spells them: by these a topic's name is recognised. */
  readonly tables: ReadonlySet<string>;
  /** Columns of the primary key, for transports that don't send the key. */
  readonly keys?: ReadonlyMap<string, readonly string[]>;
  /** Taken for the key where neither the event nor `keys` tells. */
  readonly defaultKey?: readonly string[];
}

const ROW_OPS = { c: 'insert', u: 'update', d: 'delete' } as const;

/**
 * Reads Debezium's events of the PostgreSQL, MySQL and MariaDB connectors, with and without schema, and as
 * CloudEvents. One for each feed: it remembers schemas, and which tables show their old rows.
 */
export class DebeziumDecoder {
  private readonly tables: ReadonlySet<string>;
  private readonly options: DecoderOptions;
  private readonly envelopes = new EnvelopeReader();
  private readonly oldRows = new OldRows();

  constructor(options: DecoderOptions) {
    this.tables = options.tables;
    this.options = options;
  }

  /** Never throws. */
  decode(message: Message): Decoded {
    if (message.value === null || message.value === TOMBSTONE) return nothing('tombstone');
    if (isSide(message.topic, HEARTBEATS)) return nothing('heartbeat');
    return this.attempt(message, () => this.envelopes.read(message.value!));
  }

  /** An event of a batch, parsed already. */
  decodeValue(value: Value, message: Omit<Message, 'value'>): Decoded {
    return this.attempt(message, () => this.envelopes.readValue(value));
  }

  private attempt(message: Omit<Message, 'value'>, read: () => Envelope): Decoded {
    let table = this.tableOf(message.topic);
    try {
      const envelope = read();
      table = readProvenance(envelope.body)?.table ?? table;
      return this.interpret(envelope, message);
    } catch (error) {
      return { kind: 'unreadable', table, why: (error as Error).message };
    }
  }

  private interpret(envelope: Envelope, message: Omit<Message, 'value'>): Decoded {
    const { body } = envelope;
    const from = readProvenance(body);
    const op = body.get('op');
    if (op === undefined) return sideEvent(body, from);
    if (from === null) throw new Error('"source" is missing');
    if (op === 'm') return nothing('message', from);
    if (op === 'r') return nothing(from.incremental ? 'incremental snapshot' : 'snapshot', from);
    if (from.table === null) throw new Error('"source" names no table');
    if (op === 't')
      return {
        kind: 'change',
        change: { table: from.table, op: 'truncate', before: null, after: null },
        from,
      };
    if (op !== 'c' && op !== 'u' && op !== 'd') throw new Error(`"op" is ${JSON.stringify(op)}`);
    return { kind: 'change', change: this.rowChange(ROW_OPS[op], from.table, from, envelope, message), from };
  }

  private rowChange(
    op: 'insert' | 'update' | 'delete',
    table: string,
    { connector }: Provenance,
    { body, schemas }: Envelope,
    message: Omit<Message, 'value'>,
  ): RowChange {
    const sent = rowOf(body, 'before');
    const after = op === 'delete' ? null : newRow(rowOf(body, 'after'), schemas);
    if (op === 'insert') return { table, op, before: null, after };
    const before = sent === null ? null : readRow(sent, schemas?.before ?? null);
    const key = this.keyOf(table, message.key);
    const old = { table, connector, op, before, sent, schema: schemas?.before ?? null, after, key };
    return { table, op, before: this.oldRows.read(old), after };
  }

  private keyOf(table: string, key: string | null): ReadonlySet<string> | null {
    const columns = key === null || key === NO_KEY ? null : keyColumns(this.envelopes, key);
    if (columns !== null) return columns;
    const told = this.options.keys?.get(table) ?? this.options.defaultKey;
    return told === undefined ? null : new Set(told);
  }

  /** The last two parts of a topic's name, where the mapping knows them as a table. */
  private tableOf(topic: string | null): string | null {
    const name = topic === null ? null : (/[^.]+\.[^.]+$/.exec(topic)?.[0] ?? null);
    return name !== null && this.tables.has(name) ? name : null;
  }
}

/** What stands in Redis for a value, and for a key, that are missing. */
const TOMBSTONE = 'default';
const NO_KEY = 'default';
const HEARTBEATS = '__debezium-heartbeat';

function isSide(topic: string | null, prefix: string): boolean {
  return topic === prefix || topic?.startsWith(`${prefix}.`) === true;
}

function nothing(why: Nothing, from: Provenance | null = null): Decoded {
  return { kind: 'nothing', why, from };
}

function rowOf(body: Members, name: 'before' | 'after'): Members | null {
  const row = body.get(name);
  if (row === null || row === undefined) return null;
  if (row instanceof Map) return row;
  throw new Error(`${JSON.stringify(name)} is no object`);
}

function newRow(row: Members | null, schemas: Envelope['schemas']): Row {
  if (row === null) throw new Error('"after" is missing');
  return readRow(row, schemas?.after ?? null);
}

function keyColumns(envelopes: EnvelopeReader, key: string): ReadonlySet<string> | null {
  try {
    return new Set([...envelopes.read(key).body.keys()].map(String));
  } catch {
    return null;
  }
}

/**
 * Events that are about no row: heartbeats, transactions, notifications, and changes of the schema. A row that was taken
 * out of its event (ExtractNewRecordState) may have columns of any name: it must not pass for one of them.
 */
function sideEvent(body: Members, from: Provenance | null): Decoded {
  const ofSchema = from !== null || body.has('databaseName');
  if (ofSchema && (body.has('ddl') || body.has('tableChanges'))) return schemaChange(body, from);
  if (isSideEvent(body, TRANSACTION) && BOUNDS.has(body.get('status'))) return nothing('transaction');
  if (isSideEvent(body, NOTIFICATION)) return nothing('notification');
  if (isSideEvent(body, HEARTBEAT)) return nothing('heartbeat');
  throw new Error('it is no event of Debezium: "op" is missing (ExtractNewRecordState takes it out)');
}

interface SideEvent {
  readonly needs: readonly string[];
  readonly mayHave: ReadonlySet<string>;
}

const TIMES = ['ts_ms', 'ts_us', 'ts_ns'];
const TRANSACTION = sideEventOf(['status', 'id'], ['event_count', 'data_collections', ...TIMES]);
const BOUNDS: ReadonlySet<Value | undefined> = new Set(['BEGIN', 'END']);
const NOTIFICATION = sideEventOf(['aggregate_type', 'type'], ['id', 'additional_data', 'timestamp']);
const HEARTBEAT = sideEventOf(['ts_ms'], TIMES);

function sideEventOf(needs: readonly string[], others: readonly string[]): SideEvent {
  return { needs, mayHave: new Set([...needs, ...others]) };
}

function isSideEvent(body: Members, { needs, mayHave }: SideEvent): boolean {
  return needs.every((name) => body.has(name)) && [...body.keys()].every((name) => mayHave.has(String(name)));
}

/** Statements that leave every row as it is. */
const HARMLESS =
  /^\s*(?:\/\*.*?\*\/\s*)*(?:create|grant|revoke|set|use|analyze|flush)\b(?!\s+or\s+replace\s+table)/is;

/** DDL: what it names may hold other rows, or columns, than before. */
function schemaChange(body: Members, from: Provenance | null): Decoded {
  if (from?.snapshot === true) return nothing('schema', from);
  const ddl = body.get('ddl');
  if (typeof ddl === 'string' && HARMLESS.test(ddl)) return nothing('schema', from);
  // A table that was renamed is told by one of its names alone.
  if (typeof ddl === 'string' && /\brename\b/i.test(ddl)) return { kind: 'tables', tables: null, from };
  const changed = body.get('tableChanges');
  const named = Array.isArray(changed) ? changed.map(tableOfChange) : [];
  if (named.includes(null)) return { kind: 'tables', tables: null, from };
  const tables = [...(named as string[]), ...sourceTables(from)];
  return { kind: 'tables', tables: tables.length === 0 ? null : [...new Set(tables)], from };
}

/** `"id": "\"shop\".\"orders\""` */
function tableOfChange(change: Value): string | null {
  const id = change instanceof Map ? (change as Members).get('id') : undefined;
  if (typeof id !== 'string') return null;
  const parts = [...id.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map((part) => part[1] ?? part[2] ?? '');
  return parts.length < 2 ? null : parts.slice(-2).join('.');
}

/** A statement that names several tables has them in one text, with commas between. */
function sourceTables(from: Provenance | null): string[] {
  if (from?.table == null) return [];
  const [space, ...rest] = from.table.split('.');
  return rest
    .join('.')
    .split(',')
    .map((table) => `${space}.${table}`);
}
