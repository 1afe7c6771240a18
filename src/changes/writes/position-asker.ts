import type { ChangeReaderConfig } from '../../config/model.ts';
import type { Clock } from '../../util/clock.ts';
import { inTime } from '../../util/in-time.ts';
import { mysqlServer } from '../feeds.ts';

/** A connection on which a database tells how far its log goes. */
export interface PositionConnection {
  position(): Promise<string>;
  close(): void;
}

/** How long a database that did not answer is not asked again, in ms. */
const PAUSE = 400;

/** Asks a database how far its log goes, on a connection that is kept. One question at a time. */
export class PositionAsker {
  private readonly reader: ChangeReaderConfig;
  private readonly clock: Clock;
  private readonly patience: number;
  private connection: PositionConnection | null = null;
  private failedAt = Number.NEGATIVE_INFINITY;
  private closed = false;

  /** @param patience Milliseconds that a question may last. */
  constructor(reader: ChangeReaderConfig, patience: number, clock: Clock) {
    this.reader = reader;
    this.patience = patience;
    this.clock = clock;
  }

  /** It did not answer a moment ago, and is not asked now. */
  get isResting(): boolean {
    return this.clock.now() < this.failedAt + PAUSE;
  }

  /** Rejects where it does not answer in time. */
  async ask(): Promise<string> {
    const late = () => {
      throw new Error(`no answer within ${this.patience} ms`);
    };
    try {
      return await inTime(this.clock, this.patience, this.answer(), late);
    } catch (error) {
      this.failedAt = this.clock.now();
      this.forget(this.connection);
      throw error;
    }
  }

  close(): void {
    this.closed = true;
    this.forget(this.connection);
  }

  private async answer(): Promise<string> {
    const kept = this.connection;
    if (kept === null) return await (await this.connect()).position();
    try {
      return await kept.position();
    } catch {
      // It may have been closed while nobody asked.
      this.forget(kept);
      return await (await this.connect()).position();
    }
  }

  private async connect(): Promise<PositionConnection> {
    const connection = await connectTo(this.reader, this.clock);
    const isTaken = this.connection !== null || this.closed;
    if (isTaken) connection.close();
    if (this.closed) throw new Error('it is asked no more');
    this.connection ??= connection;
    return this.connection;
  }

  private forget(connection: PositionConnection | null): void {
    if (this.connection === connection) this.connection = null;
    connection?.close();
  }
}

/** Its libraries are loaded with the first that is asked. */
async function connectTo(reader: ChangeReaderConfig, clock: Clock): Promise<PositionConnection> {
  switch (reader.kind) {
    case 'postgres':
      return (await import('../postgres/index.ts')).connectForPosition(reader.url);
    case 'mysql':
      return (await import('../mysql/index.ts')).connectForPosition(mysqlServer(reader.url), clock);
    default:
      throw new Error(`${reader.kind} is no database`);
  }
}
