import type { ChangeSourceConfig } from '../../config/model.ts';
import { inTime } from '../../util/in-time.ts';
import type { PushReply, PushRequest } from '../contract.ts';
import { decodeStanding, type Standing } from '../standing.ts';
import type { ReaderParts, SourceDescription } from './parts.ts';
import { Reading, type Seat } from './reading.ts';
import { SeatKeeper } from './seat-keeper.ts';

/**
 * A source of the config in force: it is read by this node, or by another one that shares its log. Events that are
 * posted come to any node; each takes the seat for them.
 */
export class RunningSource {
  readonly config: ChangeSourceConfig;
  private readonly parts: ReaderParts;
  private readonly counts = { events: 0, skipped: 0 };
  private reading: Reading | null = null;
  private keeper: SeatKeeper | null = null;
  private stopped = false;
  private readonly begun = Promise.withResolvers<Reading>();

  constructor(config: ChangeSourceConfig, parts: ReaderParts) {
    this.config = config;
    this.parts = parts;
  }

  async start(): Promise<void> {
    const { seats } = this.parts.sequence;
    if (seats === null) return await this.read(null, null);
    this.keeper = this.keepSeat();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.keeper?.stop();
    await this.end();
  }

  /** Only of a node that reads for itself alone. */
  async close(why: string): Promise<void> {
    if (this.keeper === null) await this.reading?.close(why);
  }

  push(request: PushRequest): Promise<PushReply> | null {
    return this.isPosted ? this.pushOnceBegun(request) : null;
  }

  private async pushOnceBegun(request: PushRequest): Promise<PushReply> {
    const begun = await inTime(this.parts.clock, BEGIN_PATIENCE, this.begun.promise, () => null);
    return (await begun?.push(request)) ?? NOT_YET;
  }

  /** Who posts to a node has its events applied there, whoever has the seat. */
  private get isPosted(): boolean {
    return this.config.reader.kind === 'http';
  }

  describe(): SourceDescription {
    const { name, reader } = this.config;
    const { board } = this.parts;
    const read = this.stopped ? { ...FAR, state: 'stopped' as const } : this.reading?.describe();
    const standing = board.standingOf(name);
    const { state, position, lagBytes, lagSeconds, error } = read ?? {
      ...FAR,
      state: standing?.state ?? 'connecting',
      position: board.position(name),
      error: standing === null ? 'no node has read this source yet' : standing.error,
    };
    return { name, kind: reader.kind, state, position, lagBytes, lagSeconds, ...this.counts, error };
  }

  private keepSeat(): SeatKeeper {
    const { clock, random, sequence, readsAlone = false } = this.parts;
    return new SeatKeeper({
      clock,
      random,
      topic: this.config.name,
      seats: () => sequence.seats,
      inTurns: this.isPosted,
      isKnown: () => this.parts.board.standingOf(this.config.name) !== null,
      readsAlone,
      idleFor: () => this.reading?.idleFor ?? 0,
      gained: (standing) => this.gained(standing),
      forgotten: () => void this.reading?.stand().catch(() => {}),
      lost: () => this.end(),
    });
  }

  private async gained(text: string | null): Promise<void> {
    const keeper = this.keeper!;
    const seat: Seat = {
      author: keeper.author,
      reclaim: async () => {
        const seated = await keeper.reclaim();
        return seated && { mine: seated.mine !== false, found: standingOf(seated.standing) };
      },
    };
    if (!this.isPosted)
      this.parts.log.info('this node reads a change source now, for all', { source: this.config.name });
    await this.read(seat, standingOf(text));
  }

  private async read(seat: Seat | null, found: Standing | null): Promise<void> {
    const reading: Reading = new Reading(this.config, {
      ...this.parts,
      counts: this.counts,
      seat,
      found,
      superseded: () => void this.keeper?.lose(),
    });
    this.reading = reading;
    const started = reading.start().then(() => this.begun.resolve(reading));
    if (seat === null) await started;
    else started.catch(() => {});
  }

  private async end(): Promise<void> {
    const { reading } = this;
    this.reading = null;
    await reading?.stop();
  }
}

function standingOf(text: string | null): Standing | null {
  return text === null ? null : decodeStanding(text);
}

/** Milliseconds that events wait which come before their source has begun. */
const BEGIN_PATIENCE = 3000;
const NOT_YET: PushReply = { status: 503, detail: 'Redis has not answered yet: send it again' };

/** What a node knows of a source that it doesn't read. */
const FAR = { state: 'connecting', position: null, lagBytes: null, lagSeconds: null, error: null } as const;
