import type { ChangeReaderConfig } from '../../config/model.ts';
import type { SourceMemory, SourceParts } from '../contract.ts';
import { formatLsn, parseLsn } from '../positions/lsn.ts';
import { Catalog, type Pulse } from './catalog.ts';
import { PgOutput, type Transaction } from './pgoutput.ts';
import { checkServer, checkSlot, checkTables, ensurePublication, ensureSlot } from './prepare.ts';
import { quoted, SourceProblem, sqlState } from './problem.ts';
import type { Remembered } from './remembered.ts';
import { Stream } from './stream.ts';
import { TypeReaders } from './types.ts';
import { Visibility } from './visibility.ts';

export type PostgresConfig = Extract<ChangeReaderConfig, { kind: 'postgres' }>;

const PULSE = 1000;
/** Between two tries for a slot that another reader has. */
const TAKEOVER = 100;
/** A new slot waits for all transactions that are open; so long, then it is said. */
const SLOT_PATIENCE = 20;

/** One time of being connected: from the first question to the error that ends it. */
export class Session {
  private readonly config: PostgresConfig;
  private readonly parts: SourceParts;
  private readonly remembered: Remembered;
  private readonly name: string;
  private readonly failure: Promise<never>;
  private fail!: (error: Error) => void;
  private catalog: Catalog | null = null;
  private stream: Stream | null = null;
  private visibility: Visibility | null = null;
  /** What has to be fenced before the first position may be shown. */
  private ready: Promise<void> = Promise.resolve();
  private settled = false;
  private seen: Pulse | null = null;
  private over = false;

  constructor(config: PostgresConfig, parts: SourceParts, remembered: Remembered, name: string) {
    this.config = config;
    this.parts = parts;
    this.remembered = remembered;
    this.name = name;
    this.failure = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.failure.catch(() => {});
  }

  /** Always rejects, with why it ended. `streaming`: it reads. */
  async run(streaming: () => void): Promise<never> {
    try {
      return await Promise.race([this.follow(streaming), this.failure]);
    } finally {
      await this.close();
    }
  }

  stop(): void {
    this.fail(new Error('the source was stopped'));
  }

  private async follow(streaming: () => void): Promise<never> {
    const { url, slot, publication } = this.config;
    const { sink, clock } = this.parts;
    const { mapping } = sink;
    const catalog = await Catalog.connect(url, this.name, this.fail);
    this.catalog = catalog;
    this.endIfOver();
    await checkServer(catalog);
    await checkSlot(catalog, this.config, databaseOf(url));
    const tables = await checkTables(catalog, mapping);
    const published = await ensurePublication(catalog, this.config, mapping, tables);
    this.seen = await catalog.pulse(slot, publication, [...mapping.tables.keys()]);
    if (published) this.remembered.gap('the publication was made or changed');
    const gap = await ensureSlot(catalog, this.config, () => this.makeSlot(catalog));
    if (gap !== null) this.remembered.gap(gap);
    const decoder = new PgOutput(mapping, new TypeReaders(await catalog.types()));
    decoder.onUnknownType = () =>
      void catalog.types().then((rows) => decoder.learn(new TypeReaders(rows)), this.fail);
    this.visibility = new Visibility(() => catalog.snapshot(), clock);
    this.stream = await Stream.connect(url, this.name, {
      clock,
      decoder,
      apply: (transaction) => this.apply(transaction),
      passed: (position) => this.passed(position),
      current: () => {
        if (this.settled) sink.current();
      },
    });
    this.endIfOver();
    const identity = await this.stream.identify();
    await this.remembered.compare(
      {
        ...identity,
        publication: this.seen.publication ?? '',
        mapping: mapping.hash,
        shapes: this.seen.shapes,
      },
      this.memory,
    );
    return await this.read(this.stream, streaming);
  }

  /** Tries for the slot until it is this reader's, then reads. */
  private async read(stream: Stream, streaming: () => void): Promise<never> {
    const { clock, random, sink } = this.parts;
    const started = () => {
      this.ready = this.prove().then(() => {
        this.settled = true;
        streaming();
        stream.askForPosition();
        this.feelPulse();
      });
      this.ready.catch(this.fail);
    };
    stream.onStart(started);
    for (;;) {
      try {
        return await stream.run(this.config.slot, this.config.publication);
      } catch (error) {
        if (sqlState(error) !== '55006') throw error;
        await this.heldByAnother();
        sink.state(
          'connecting',
          `another reader has the slot ${this.config.slot}; this one takes over when it ends`,
        );
        await new Promise<void>((resolve) => clock.after(TAKEOVER * (0.5 + random.number()), resolve));
        if (this.over) throw error;
      }
    }
  }

  /** Where invalidations are not shared, what the other reader acknowledges is lost to this node. */
  private async heldByAnother(): Promise<void> {
    const { sink, shared } = this.parts;
    if (shared) return;
    const { reader } = (await this.catalog!.slot(this.config.slot)) ?? { reader: null };
    if (reader === this.name) return;
    this.remembered.gap('another reader had the slot');
    await sink.close(
      `another reader has the slot ${this.config.slot}: without Redis each node needs a slot of its own (postgres: { slot })`,
    );
  }

  /** The slot is ours now: fences what may have passed unseen. */
  private async prove(): Promise<void> {
    const { sink, shared } = this.parts;
    const slot = await this.catalog!.slot(this.config.slot);
    const confirmed = parseLsn(slot?.confirmed ?? '') ?? 0n;
    if (!shared && this.remembered.flushed !== null && confirmed > this.remembered.flushed)
      this.remembered.gap('another reader has acknowledged changes');
    const why = this.remembered.takeGap();
    try {
      if (why !== null) await sink.lost(why);
      await sink.open();
      await this.remembered.keep(this.memory);
      // What is acknowledged was applied.
      if (confirmed > (this.remembered.flushed ?? 0n)) sink.passed(formatLsn(confirmed));
    } catch (error) {
      if (why !== null) this.remembered.gap(why);
      throw error;
    }
  }

  private async makeSlot(catalog: Catalog): Promise<void> {
    const { slot } = this.config;
    await this.remembered.forget(this.memory);
    // A statement of its own connection would have to be ended by hand; the server's own bound is sure.
    await catalog.run(`set statement_timeout = '${SLOT_PATIENCE * 200}ms'`);
    try {
      const failover = catalog.version >= 170_000 && !catalog.standby ? ', false, false, true' : '';
      await catalog.run(`select pg_create_logical_replication_slot('${slot}', 'pgoutput'${failover})`);
    } catch (error) {
      if (sqlState(error) === '57014')
        throw new SourceProblem(
          'a new replication slot waits until all transactions that are open now have ended; it is tried again',
          { closes: true },
        );
      if (sqlState(error) === '42501')
        throw new SourceProblem(
          `this user may not make a replication slot: run ALTER ROLE ${quoted(userOf(this.config.url))} REPLICATION; or as another user SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput');`,
          { closes: true },
        );
      if (sqlState(error) === '42710') return;
      throw error;
    } finally {
      await catalog.run('set statement_timeout = 0').catch(() => {});
    }
  }

  private async apply({ xid, committedAt, end, touched }: Transaction): Promise<void> {
    if (!this.settled) await this.ready;
    await this.parts.sink.apply({
      position: formatLsn(end),
      touched,
      committedAt,
      ...(touched.tags.size === 0 ? {} : { visible: () => this.visibility!.wait(xid) }),
    });
    this.remembered.flushed = end;
  }

  private passed(position: bigint): boolean {
    if (!this.settled) return false;
    this.remembered.flushed = position;
    this.parts.sink.passed(formatLsn(position));
    return true;
  }

  /** Each second: how far behind, and whether publication and tables are still what they were. */
  private feelPulse(): void {
    const { clock } = this.parts;
    clock.after(PULSE, () => {
      if (this.over) return;
      this.pulse().then(() => this.feelPulse(), this.fail);
    });
  }

  private async pulse(): Promise<void> {
    const { slot, publication } = this.config;
    const { sink } = this.parts;
    const before = this.seen!;
    const now = await this.catalog!.pulse(slot, publication, [...sink.mapping.tables.keys()]);
    if (this.over) return;
    this.seen = now;
    const flushed = parseLsn(now.flushed);
    const behind = flushed === null ? null : flushed - this.stream!.flushed;
    // Its answer says that nothing waits: a frozen stream gives none.
    this.stream!.askForPosition();
    sink.lag(behind === null ? null : Number(behind > 0n ? behind : 0n));
    if (now.publication !== before.publication) {
      this.remembered.gap('the publication was changed');
      throw new SourceProblem(`the publication ${publication} was changed`);
    }
    const touched = sink.mapping.touched();
    for (const table of sink.mapping.tables.keys())
      if (now.shapes[table] !== before.shapes[table]) touched.spoil(table, null);
    if (touched.tags.size === 0) return;
    this.parts.log.info('a table was changed by DDL: what it could have tagged is unseated');
    await sink.apply({ position: formatLsn(this.stream!.received), touched, committedAt: null });
    await this.remembered.reshaped(now.shapes, this.memory);
    await this.prepareAgain(this.catalog!);
  }

  /** What bears a table's name may be another by now, which is not published or can't be followed. */
  private async prepareAgain(catalog: Catalog): Promise<void> {
    const { mapping } = this.parts.sink;
    const tables = await checkTables(catalog, mapping);
    if (!(await ensurePublication(catalog, this.config, mapping, tables))) return;
    this.remembered.gap('the publication was changed');
    throw new SourceProblem(`the publication ${this.config.publication} was changed`);
  }

  /** What the next reader on another node is to know; null where each node reads for itself. */
  private get memory(): SourceMemory | null {
    const { shared, memory } = this.parts;
    return shared ? memory : null;
  }

  /** It was stopped while a connection was being made. */
  private endIfOver(): void {
    if (!this.over) return;
    this.stream?.close();
    this.catalog?.destroy();
    throw new Error('the source was stopped');
  }

  private async close(): Promise<void> {
    this.over = true;
    this.stream?.close();
    this.visibility?.fail(new Error('the connection was closed'));
    await this.catalog?.end();
  }
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function userOf(url: string): string {
  return decodeURIComponent(new URL(url).username) || 'USER';
}
