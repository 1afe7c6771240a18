import {
  type Cell,
  type Mapping,
  type Row,
  type RowChange,
  type TableMapping,
  type Touched,
  UNKNOWN,
} from '../contract.ts';
import type { Read, TypeReaders } from './types.ts';

/** A transaction that has been read to its commit. */
export interface Transaction {
  /** The low 32 bits of its number. */
  readonly xid: number;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
  /** The end of its commit record: to be acknowledged. */
  readonly end: bigint;
  readonly touched: Touched;
}

interface Column {
  readonly name: string;
  readonly key: boolean;
  readonly wanted: boolean;
  readonly type: number;
  /** Null: a type that isn't known yet. */
  read: Read | null;
}

interface Relation {
  readonly table: TableMapping;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
}

/** Midnight of 2000-01-01, from which PostgreSQL counts, in milliseconds since 1970. */
const EPOCH = 946_684_800_000;

const [BEGIN, COMMIT, RELATION, INSERT, UPDATE, DELETE, TRUNCATE] = [
  0x42, 0x43, 0x52, 0x49, 0x55, 0x44, 0x54,
];
const [KEY_ROW, OLD_ROW] = [0x4b, 0x4f];
const [NULL, UNCHANGED, TEXT] = [0x6e, 0x75, 0x74];

/**
 * Reads logical replication messages of pgoutput, protocol version 1 (PostgreSQL's documentation §55.9). Only rows
 * of mapped tables are read, and of these only the columns that their templates look at.
 */
export class PgOutput {
  /** A column has a type that is not known: look the types up again. */
  onUnknownType: () => void = () => {};
  private readonly mapping: Mapping;
  private types: TypeReaders;
  /** Null: not mapped. */
  private readonly relations = new Map<number, Relation | null>();
  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;
  private xid = 0;
  private committedAt = 0;
  private touched: Touched | null = null;

  constructor(mapping: Mapping, types: TypeReaders) {
    this.mapping = mapping;
    this.types = types;
  }

  /** Inside of a transaction. */
  get open(): boolean {
    return this.touched !== null;
  }

  /** Types that were not known are, from the next row on. */
  learn(types: TypeReaders): void {
    this.types = types;
    for (const relation of this.relations.values())
      for (const column of relation?.columns ?? []) column.read = types.of(column.type);
  }

  /** Reads one message; gives the transaction that it ends. Bytes are not kept. */
  read(message: Buffer): Transaction | null {
    this.buffer = message;
    this.at = 1;
    try {
      return this.readMessage(message[0]!);
    } catch (error) {
      if (message[0] === BEGIN || message[0] === COMMIT) throw error;
      this.touched?.spoil(null, `a message of the stream can not be read: ${(error as Error).message}`);
      return null;
    }
  }

  private readMessage(kind: number): Transaction | null {
    switch (kind) {
      case BEGIN:
        this.at += 8;
        this.committedAt = EPOCH + Number(this.int64() / 1000n);
        this.xid = this.int32();
        this.touched = this.mapping.touched();
        return null;
      case COMMIT:
        return this.commit();
      case RELATION:
        this.relation();
        return null;
      case INSERT:
      case UPDATE:
      case DELETE:
        this.change(kind);
        return null;
      case TRUNCATE:
        this.truncate();
        return null;
      default:
        // Origins, names of types, messages: nothing that changes a row.
        return null;
    }
  }

  private commit(): Transaction {
    const { touched, xid, committedAt } = this;
    if (touched === null) throw new Error('a commit without a begin');
    this.touched = null;
    this.at += 1 + 8;
    return { xid, committedAt, end: this.position(), touched };
  }

  private relation(): void {
    const oid = this.int32();
    const schema = this.name();
    const table = this.mapping.tables.get(`${schema === '' ? 'pg_catalog' : schema}.${this.name()}`);
    this.at += 1;
    if (table === undefined) {
      this.relations.set(oid, null);
      return;
    }
    const columns: Column[] = [];
    for (let count = this.int16(); count > 0; count--) {
      const key = (this.byte() & 1) === 1;
      const name = this.name();
      const type = this.int32();
      const read = this.types.of(type);
      this.at += 4;
      const wanted = table.columns?.has(name) ?? true;
      if (wanted && read === null) this.onUnknownType();
      columns.push({ name, key, wanted, type, read });
    }
    this.relations.set(oid, { table, columns, key: keyOf(columns) });
  }

  private change(kind: number): void {
    const oid = this.int32();
    const relation = this.relations.get(oid);
    if (relation === null) return;
    if (relation === undefined) throw new Error(`rows of relation ${oid}, which was not described`);
    this.touched!.add(
      kind === INSERT
        ? this.insert(relation)
        : kind === UPDATE
          ? this.update(relation)
          : this.delete(relation),
    );
  }

  private insert(relation: Relation): RowChange {
    this.at += 1;
    const { table, key } = relation;
    return { table: table.table, op: 'insert', before: null, after: this.row(relation, false), key };
  }

  private update(relation: Relation): RowChange {
    const first = this.byte();
    const before = first === KEY_ROW || first === OLD_ROW ? this.row(relation, first === KEY_ROW) : null;
    if (before !== null) this.at += 1;
    const after = this.row(relation, false);
    const { key } = relation;
    if (before === null)
      return { table: relation.table.table, op: 'update', before: unchangedKey(relation, after), after, key };
    return {
      table: relation.table.table,
      op: 'update',
      before,
      after: first === OLD_ROW ? completed(after, before) : after,
      key,
    };
  }

  private delete(relation: Relation): RowChange {
    const before = this.row(relation, this.byte() === KEY_ROW);
    return { table: relation.table.table, op: 'delete', before, after: null, key: relation.key };
  }

  private truncate(): void {
    const count = this.int32();
    this.at += 1;
    for (let i = 0; i < count; i++) {
      const relation = this.relations.get(this.int32());
      if (relation === null) continue;
      if (relation === undefined) throw new Error('a table is emptied that was not described');
      this.touched!.add({ table: relation.table.table, op: 'truncate', before: null, after: null });
    }
  }

  /** `keyOnly`: columns that are not of the key are sent as null, whatever they were. */
  private row({ columns }: Relation, keyOnly: boolean): Map<string, Cell> {
    const row = new Map<string, Cell>();
    const count = this.int16();
    for (let i = 0; i < count; i++) {
      const column = columns[i];
      const cell = this.cell(column);
      if (column?.wanted) row.set(column.name, keyOnly && !column.key ? UNKNOWN : cell);
    }
    return row;
  }

  private cell(column: Column | undefined): Cell {
    const kind = this.byte();
    if (kind === NULL) return null;
    if (kind === UNCHANGED) return UNKNOWN;
    const length = this.int32();
    const from = this.at;
    this.at += length;
    if (this.at > this.buffer.length) throw new RangeError('a value goes past its message');
    if (column === undefined || !column.wanted) return null;
    if (kind !== TEXT || column.read === null) return UNKNOWN;
    return column.read(this.buffer.toString('utf8', from, this.at));
  }

  private byte(): number {
    return this.buffer.readUInt8(this.at++);
  }

  private int16(): number {
    this.at += 2;
    return this.buffer.readUInt16BE(this.at - 2);
  }

  private int32(): number {
    this.at += 4;
    return this.buffer.readUInt32BE(this.at - 4);
  }

  private int64(): bigint {
    this.at += 8;
    return this.buffer.readBigInt64BE(this.at - 8);
  }

  private position(): bigint {
    this.at += 8;
    return this.buffer.readBigUInt64BE(this.at - 8);
  }

  private name(): string {
    const end = this.buffer.indexOf(0, this.at);
    if (end < 0) throw new RangeError('a name has no end');
    const name = this.buffer.toString('utf8', this.at, end);
    this.at = end + 1;
    return name;
  }
}

/** Where the whole row identifies it, the stream doesn't tell its key: then what it is most often called. */
function keyOf(columns: readonly Column[]): readonly string[] {
  const names = columns.filter(({ key }) => key).map(({ name }) => name);
  return names.length === columns.length && names.includes('id') ? ['id'] : names;
}

/** No old row was sent: its key is that of the new one, the rest isn't known. */
function unchangedKey({ columns }: Relation, after: Row): Row {
  const before = new Map<string, Cell>();
  for (const { name, key, wanted } of columns) if (wanted) before.set(name, key ? after.get(name)! : UNKNOWN);
  return before;
}

/** A large value that did not change is sent in the old row alone. */
function completed(after: Map<string, Cell>, before: Row): Row {
  for (const [name, cell] of after)
    if (cell === UNKNOWN && before.has(name)) after.set(name, before.get(name)!);
  return after;
}
