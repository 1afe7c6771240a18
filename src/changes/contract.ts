import type { Value } from '../expression/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';

/** Stands for a value that the database did not send: an unchanged large one, or a column of an old row that is not part of its key. */
export const UNKNOWN: unique symbol = Symbol('unknown');

/** A value that services spell in several ways: a tag made of any of them is one of the change. */
export class Spelled {
  /** Canonical: what expressions see. */
  readonly value: Value;
  readonly others: readonly Value[];

  constructor(value: Value, others: readonly Value[]) {
    this.value = value;
    this.others = others;
  }
}

/**
 * One value of a row, in its canonical form: what a service's JSON of it would be read as. `mapping/values.ts`
 * makes them of the database's text: integers are bigints, UUIDs lower case, decimals without trailing zeros.
 */
export type Cell = Value | Spelled | typeof UNKNOWN;

export function canonical(cell: Exclude<Cell, typeof UNKNOWN>): Value {
  return cell instanceof Spelled ? cell.value : cell;
}

/** Cells by column. A column that is not there at all is a slip of the config, unlike one that is `UNKNOWN`. */
export type Row = ReadonlyMap<string, Cell>;

export type Operation = 'insert' | 'update' | 'delete' | 'truncate';

export interface RowChange {
  /** As the config spells it: `schema.table` (PostgreSQL, Debezium), `database.table` (MySQL). */
  readonly table: string;
  readonly op: Operation;
  /** Null where there is none. Only the columns that `TableMapping.columns` names need be there. */
  readonly before: Row | null;
  readonly after: Row | null;
  /** Columns of its key, where the stream tells. */
  readonly key?: readonly string[];
}

/** Which tags a source's changes mean, compiled from the config's `tables`. */
export interface Mapping {
  readonly source: string;
  /** By table, as the config spells it. What is not here need not be read. */
  readonly tables: ReadonlyMap<string, TableMapping>;
  /** One tag for each set of tags that the source can yield: a fence on all of them reaches every entry it feeds. */
  readonly families: readonly string[];
  /** Changes with everything that decides which tags a change means. */
  readonly hash: string;
  /** For one transaction, or one event. */
  touched(): Touched;
}

export interface TableMapping {
  readonly table: string;
  /** Those that its templates and conditions read; null: all of them. */
  readonly columns: ReadonlySet<string> | null;
  readonly families: readonly string[];
}

/** A row that has changed, for people to see. */
export interface RowEvent {
  readonly table: string;
  readonly op: Operation;
  /** The values of its key, where they are known. */
  readonly key: string | null;
  /** The first of its tags, and how many more there are. */
  readonly tags: readonly string[];
  readonly more: number;
}

/** What one transaction touches, gathered row by row so that a huge one needs no more memory than a small one. */
export interface Touched {
  /** Rows of mapped tables. */
  readonly events: number;
  /** Events that could not be understood; what they may have touched is fenced all the same. */
  readonly skipped: number;
  readonly tags: ReadonlySet<string>;
  /** The first rows, where somebody wants to see them. */
  readonly rows: readonly RowEvent[];
  /** Changes of tables that are not mapped are passed over. */
  add(change: RowChange): void;
  /**
   * An event that makes no sense, or one whose rows can't be known (DDL, a statement instead of rows): all that
   * the table could have tagged is fenced; null: all that the source could. Counted and logged with `why`,
   * unless that is null.
   */
  spoil(table: string | null, why: string | null): void;
}

/** A transaction, or an event, in the source's order. */
export interface ChangeBatch {
  /** Proven once it is applied, spelled as the database spells it. */
  readonly position: string;
  readonly touched: Touched;
  /** When it was committed, ms since 1970; null where that isn't known. */
  readonly committedAt: number | null;
  /**
   * Resolves once every reader of the database sees the transaction: its record reaches the stream before that.
   * Fences are set before and after it. Left out: whatever comes by this stream can be seen already.
   */
  readonly visible?: () => Promise<void>;
}

/** What a source tells of itself, in the words of `GET /v1/changes`. */
export type SourceStatus = 'connecting' | 'streaming' | 'lost' | 'stopped';

/** Where the changes of one source go. Nothing of it rejects but after the source was stopped. */
export interface SourceSink {
  readonly mapping: Mapping;
  /**
   * Resolves once the batch is applied: its fences are durable and held by every worker. Only then may its
   * position be acknowledged upstream. Resolves in the order of the calls; several may wait, and are then written
   * as one: a source bounds how many (64 is plenty). Where the log of invalidations is away, it tries until it is back.
   */
  apply(batch: ChangeBatch): Promise<void>;
  /** Everything up to here is applied, and there was nothing of interest: only while no batch waits. */
  passed(position: string): void;
  /** A gap: all that the source could have tagged is fenced. Resolves as `apply` does. */
  lost(why: string): Promise<void>;
  /**
   * From now on this node does not follow the source (another reader has its place, its publication lacks a table):
   * nothing that it feeds is answered from the cache until `open`.
   */
  close(why: string): Promise<void>;
  /**
   * Changes are followed again: to be called once nothing can be missed any more. Fences what was filled before, where
   * it was closed, or where nothing is known of what another reader has followed (`anew`).
   */
  open(options?: { readonly anew?: boolean }): Promise<void>;
  /** A change of state is one line of the log; `error` says what is wrong and what would mend it. */
  state(status: Exclude<SourceStatus, 'stopped'>, error?: string | null): void;
  /** Just now the source was heard, and it has nothing that was not given to `apply`. Each second or so, if it can. */
  current(): void;
  /** Bytes of the log that are written but not applied; null where that isn't known. */
  lag(bytes: number | null): void;
}

/** Reads one source, from `start` until `stop`; whatever breaks, it tries again by itself. */
export interface Source {
  start(): void;
  /** Resolves once nothing of it is left. */
  stop(): Promise<void>;
  /** Only a source whose events are posted: takes the body of `POST /v1/changes/NAME`. */
  push?(request: PushRequest): Promise<PushReply>;
}

export interface PushRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface PushReply {
  readonly status: 200 | 400 | 401 | 413 | 503;
  /** A sentence for the problem document; null with 200. */
  readonly detail: string | null;
}

/** Small facts that outlive the process: positions, the identity of a server. Kept in Redis where there is one, else in a file. */
export interface SourceMemory {
  read(key: string): Promise<string | null>;
  /** Resolves once it is durable. */
  write(key: string, value: string): Promise<void>;
}

/** What a source is made with; each kind has one `create…Source(config, parts)`. */
export interface SourceParts {
  readonly name: string;
  readonly sink: SourceSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly memory: SourceMemory;
  /** Nodes share their invalidations (Redis): one of them reads for all. Else each needs a place of its own. */
  readonly shared: boolean;
  /** Somebody must know when it is behind: what costs more than to listen is worth asking for. */
  readonly bounded: boolean;
}
