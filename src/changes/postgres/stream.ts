import type pg from 'pg';
import type { Clock, Timer } from '../../util/clock.ts';
import { type Connection, connectionOf, createClient } from './client.ts';
import type { PgOutput, Transaction } from './pgoutput.ts';

/** Transactions that wait to be applied; with more, nothing is read until half of them are. */
const MOST_WAITING = 64;
/** The server hears us so often, also while nothing is read. */
const BEAT = 1000;
/** The server lets go of a reader that is silent for so long, so that another can take over. */
const SERVER_PATIENCE = '5s';
/** A server that is silent for so long is given up: it answers each beat. */
const PATIENCE = 8000;
const CONNECT = 5000;
const EPOCH = 946_684_800_000;

/** Positions of the server are told in the messages of the replication protocol (PostgreSQL's documentation §55.4). */
const [DATA, STATUS] = [0x77, 0x72];

export interface StreamParts {
  readonly clock: Clock;
  readonly decoder: PgOutput;
  /** Resolves once it is applied; only then is it acknowledged. Called in order. */
  apply(transaction: Transaction): Promise<void>;
  /** Nothing is outstanding up to here. False: it may not be taken as applied yet. */
  passed(position: bigint): boolean;
  /** The server says that nothing more is there. */
  current(): void;
}

/** Who the server is; a restored or promoted one is another. */
export interface Identity {
  readonly system: string;
  readonly timeline: string;
}

/** One replication connection: reads transactions, and tells the server how far they are applied. */
export class Stream {
  /** Everything up to here is applied and was told to the server. */
  flushed = 0n;
  /** The end of the last transaction that was read, or what a keepalive has passed. */
  received = 0n;
  private readonly client: pg.Client;
  private readonly connection: Connection;
  private readonly parts: StreamParts;
  private readonly ended: Promise<never>;
  private end!: (error: Error) => void;
  private waiting = 0;
  private paused = false;
  private alive = true;
  private heardAt: number;
  private beat: Timer | null = null;

  private constructor(client: pg.Client, parts: StreamParts) {
    this.client = client;
    this.connection = connectionOf(client);
    this.parts = parts;
    this.heardAt = parts.clock.now();
    this.ended = new Promise((_, reject) => {
      this.end = reject;
    });
    this.ended.catch(() => {});
    client.on('error', this.end);
    client.once('end', () => this.end(new Error('the connection was closed')));
  }

  static async connect(url: string, name: string, parts: StreamParts): Promise<Stream> {
    const client = createClient({
      connectionString: url,
      application_name: name,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT,
      options: `-c wal_sender_timeout=${SERVER_PATIENCE} -c statement_timeout=0 -c datestyle=ISO -c intervalstyle=iso_8601 -c timezone=UTC -c bytea_output=hex -c extra_float_digits=1`,
      // Not in the types of pg.
      replication: 'database',
    } as pg.ClientConfig);
    const stream = new Stream(client, parts);
    await client.connect();
    return stream;
  }

  async identify(): Promise<Identity> {
    const { rows } = await this.bounded(this.client.query('IDENTIFY_SYSTEM'));
    return { system: String(rows[0].systemid), timeline: String(rows[0].timeline) };
  }

  /** `started` is called once, when the first try to read succeeds. */
  onStart(started: () => void): void {
    const { connection, parts } = this;
    connection.on('replicationStart', () => {
      this.heardAt = parts.clock.now();
      this.keepBeating();
      started();
    });
    connection.on('copyData', ({ chunk }) => this.receive(chunk));
  }

  /**
   * Reads until the connection breaks; always rejects. With SQLSTATE 55006 another reader has the slot, and it may
   * be tried again on this connection.
   */
  async run(slot: string, publication: string): Promise<never> {
    const name = publication.replaceAll('"', '""').replaceAll("'", "''");
    // Always from the slot's own place: a remembered one may skip what a restore brought back.
    const reading = this.client.query(
      `START_REPLICATION SLOT "${slot}" LOGICAL 0/0 (proto_version '1', publication_names '"${name}"')`,
    );
    await Promise.race([reading, this.ended]);
    throw new Error('the server has ended the stream');
  }

  /** The server answers with how far it has sent. */
  askForPosition(): void {
    if (this.alive) this.tell(true);
  }

  /** Tells the server the last position and closes. */
  close(error = new Error('closed')): void {
    if (!this.alive) return;
    if (this.beat !== null) this.tell(false);
    this.alive = false;
    if (this.beat !== null) this.parts.clock.cancel(this.beat);
    this.end(error);
    this.connection.stream.destroy();
  }

  private async bounded<T>(work: Promise<T>): Promise<T> {
    const { clock } = this.parts;
    const timer = clock.after(CONNECT, () => this.close(new Error('the database does not answer')));
    try {
      return await Promise.race([work, this.ended]);
    } finally {
      clock.cancel(timer);
    }
  }

  /** `chunk` is a view into memory that is used again: it is read now or never. */
  private receive(chunk: Buffer): void {
    if (!this.alive) return;
    this.heardAt = this.parts.clock.now();
    try {
      if (chunk[0] !== DATA) return this.keepalive(chunk);
      const transaction = this.parts.decoder.read(chunk.subarray(25));
      if (transaction !== null) this.take(transaction);
    } catch (error) {
      this.close(error as Error);
    }
  }

  /** Every commit before its position has been sent. */
  private keepalive(chunk: Buffer): void {
    const at = chunk.readBigUInt64BE(1);
    if (at > this.received) this.received = at;
    if (!this.parts.decoder.open && this.waiting === 0 && this.received > this.flushed) {
      if (this.parts.passed(this.received)) this.flushed = this.received;
    }
    if (!this.parts.decoder.open && this.waiting === 0) this.parts.current();
    if (chunk[17] === 1) this.tell(false);
  }

  private take(transaction: Transaction): void {
    this.received = transaction.end;
    if (++this.waiting === MOST_WAITING) {
      this.paused = true;
      this.connection.stream.pause();
    }
    this.parts.apply(transaction).then(
      () => this.applied(transaction.end),
      (error) => this.close(error),
    );
  }

  private applied(end: bigint): void {
    if (!this.alive) return;
    this.flushed = end;
    if (--this.waiting === 0 || this.waiting % 16 === 0) this.tell(false);
    if (!this.paused || this.waiting > MOST_WAITING / 2) return;
    this.paused = false;
    this.heardAt = this.parts.clock.now();
    this.connection.stream.resume();
  }

  private keepBeating(): void {
    const { clock } = this.parts;
    this.beat = clock.after(BEAT, () => {
      if (!this.alive) return;
      if (!this.paused && clock.now() - this.heardAt > PATIENCE)
        return this.close(new Error('the database has not answered for 8 s'));
      this.tell(true);
      this.keepBeating();
    });
  }

  /** Standby status update. The positions are exact: one more would skip a transaction that begins right there. */
  private tell(ask: boolean): void {
    const message = Buffer.alloc(34);
    message[0] = STATUS;
    message.writeBigUInt64BE(this.received, 1);
    message.writeBigUInt64BE(this.flushed, 9);
    message.writeBigUInt64BE(this.flushed, 17);
    message.writeBigInt64BE(BigInt(Math.round(this.parts.clock.wall()) - EPOCH) * 1000n, 25);
    message[33] = ask ? 1 : 0;
    this.connection.sendCopyFromChunk(message);
  }
}
