import ZongJi, { type AnyBinlogEvent, type ZongJiOptions } from '@vlasky/zongji';
import type { SourceSink } from '../contract.ts';
import type { Cascades } from './cascades.ts';
import { connectionOptions, type LogPlace, type MysqlServer } from './server.ts';
import { type Transaction, Transactions } from './transactions.ts';

/** Where to begin: behind what the position covers; null: at the log's end. */
export type Start = { readonly gtid: string } | { readonly file: string; readonly offset: number } | null;

export interface SessionParts {
  readonly server: MysqlServer;
  readonly serverId: number;
  readonly start: Start;
  readonly gtid: boolean;
  readonly sink: SourceSink;
  readonly cascades: Cascades;
  /** Resolves once queries see it. */
  readonly visible: (transaction: Transaction, end: LogPlace) => Promise<void>;
  /** The log is being followed: what changes from now on will come. */
  readonly following: () => void;
  /** All up to here is applied. */
  readonly applied: (position: string) => void;
  readonly heard: () => void;
}

const EVENTS = [
  'rotate',
  'format',
  'gtid',
  'anonymousgtid',
  'mariadbgtid',
  'mariadbgtidlist',
  'query',
  'xid',
  'xaprepare',
  'tablemap',
  'writerows',
  'updaterows',
  'deleterows',
  'heartbeat',
  'transactionpayload',
  'partialupdaterows',
];
/** Transactions that may wait to be applied; then the server is held back. */
const MOST_WAITING = 64;
/** Nanoseconds: an idle server says so this often. */
const HEARTBEAT = 1_000_000_000;

/** One connection that reads the log, until it breaks: it never comes back by itself. */
export class Session {
  /** Rejects with what broke it. */
  readonly ended: Promise<never>;
  private readonly parts: SessionParts;
  private readonly reader: ZongJi;
  private readonly transactions: Transactions;
  private live = true;
  private waiting = 0;
  private paused = false;
  /** What is left to do once nothing waits; nothing more is read then. */
  private rest: (() => void) | null = null;
  private fail!: (error: Error) => void;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.transactions = new Transactions(parts.sink.mapping, parts.cascades);
    this.ended = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.ended.catch(() => {});
    this.reader = new ZongJi(connectionOptions(parts.server));
    this.reader.on('error', (error: Error) => this.fail(error));
    this.reader.on('ready', () => this.ready());
    this.reader.on('binlog', (event: AnyBinlogEvent) => this.take(event));
    this.reader.start(this.options());
  }

  stop(): void {
    this.live = false;
    this.fail(new Error('stopped'));
    this.reader.removeAllListeners();
    this.reader.on('error', () => {});
    this.reader.stop();
  }

  private options(): ZongJiOptions {
    const { start, serverId, sink, cascades } = this.parts;
    const tables: Record<string, string[]> = {};
    for (const name of new Set([...sink.mapping.tables.keys(), ...cascades.parents])) {
      const [database = '', ...table] = name.split('.');
      tables[database] = [...(tables[database] ?? []), table.join('.')];
    }
    const place =
      start === null
        ? { startAtEnd: true }
        : 'gtid' in start
          ? { gtidSet: start.gtid }
          : { filename: start.file, position: start.offset };
    return { serverId, includeEvents: EVENTS, includeSchema: tables, ...place };
  }

  private ready(): void {
    const connection = this.reader.connection as unknown as { query(sql: string, done: () => void): void };
    connection.query(`set @master_heartbeat_period = ${HEARTBEAT}`, () => {});
  }

  private take(event: AnyBinlogEvent): void {
    if (!this.live || this.rest !== null) return;
    this.parts.heard();
    const type = event.getTypeName();
    if (type === 'Format') this.parts.following();
    if (type === 'Heartbeat' && this.waiting === 0) this.parts.sink.current();
    if (type === 'TransactionPayload' || type === 'PartialUpdateRows')
      return this.fail(new Unreadable(`the log holds what can't be read (${event.getEventName()})`));
    try {
      const transaction = this.transactions.add(event);
      if (transaction === null) return;
      this.apply(transaction);
      if (transaction.changesKeys) this.endBehind();
    } catch (error) {
      this.fail(new Unreadable((error as Error).message));
    }
  }

  private apply(transaction: Transaction): void {
    const position = this.position();
    const { sink } = this.parts;
    const { touched } = transaction;
    if (touched.tags.size === 0 && touched.skipped === 0) {
      if (position === null || this.waiting > 0) return;
      sink.passed(position);
      return this.parts.applied(position);
    }
    this.hold();
    const { filename = '', position: offset = 0 } = this.reader.options;
    const batch = {
      position: position ?? '',
      touched,
      committedAt: transaction.committedAt,
      visible: () => this.parts.visible(transaction, { file: filename, offset }),
    };
    sink.apply(batch).then(
      () => {
        this.release();
        if (this.live && position !== null) this.parts.applied(position);
      },
      (error) => this.fail(error as Error),
    );
  }

  /** Other rows go with those of other tables by now: what comes from here on is for another session. */
  private endBehind(): void {
    const position = this.position();
    this.rest = () => {
      if (position !== null) this.parts.applied(position);
      this.fail(new Error('a foreign key was changed'));
    };
    if (this.waiting === 0) this.rest();
  }

  private position(): string | null {
    if (this.parts.gtid) return this.reader.gtidSet || null;
    const { filename, position } = this.reader.options;
    return filename === undefined ? null : `${filename}:${position}`;
  }

  private hold(): void {
    if (++this.waiting < MOST_WAITING || this.paused) return;
    this.paused = true;
    this.reader.connection?.pause();
  }

  private release(): void {
    this.waiting--;
    if (this.waiting === 0 && this.live) this.rest?.();
    if (!this.paused || this.waiting > MOST_WAITING / 2 || !this.live) return;
    this.paused = false;
    this.reader.connection?.resume();
  }
}

/** Reading it again would only fail again. */
export class Unreadable extends Error {}
