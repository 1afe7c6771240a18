import { type Note, Superseded, Unavailable } from '../../cache/index.ts';
import type { ChangeSourceConfig } from '../../config/model.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Timer } from '../../util/clock.ts';
import type {
  ChangeBatch,
  Mapping,
  PushReply,
  PushRequest,
  Source,
  SourceSink,
  SourceStatus,
} from '../contract.ts';
import { compileMapping } from '../mapping/index.ts';
import type { Settling } from '../news.ts';
import { encodeEvent, encodeStanding, type Standing } from '../standing.ts';
import { createSource } from './create.ts';
import { FenceQueue, type Said, Stopped } from './fence-queue.ts';
import type { Counts, ReaderParts } from './parts.ts';

/** The right to speak for a source to all nodes. */
export interface Seat {
  readonly author: string;
  /** It was lost: takes it back where nobody has it. `found`: what stands. Null: nobody can tell. */
  reclaim(): Promise<{ mine: boolean; found: Standing | null } | null>;
}

export interface ReadingParts extends ReaderParts {
  /** Null: this node reads for itself. */
  readonly seat: Seat | null;
  /** What stood when the seat was taken; null: nothing is known. */
  readonly found: Standing | null;
  readonly counts: Counts;
  /** Another node reads now. */
  superseded(): void;
}

/** Poison events are told of one by one up to so many a minute, then counted only. */
const COMPLAINTS_A_MINUTE = 10;
/** Between two looks at how far behind it is; ms. More seconds than these are told of. */
const LOOK_EVERY = 2000;
const LATE = 10;
/** Between two messages to other nodes that say how far the source was followed, with nothing to fence; ms. */
const TELL_EVERY = 20;

/** One time of reading a source: from having its seat to losing it. What it finds, it fences, and it tells all nodes. */
export class Reading implements SourceSink {
  readonly mapping: Mapping;
  private readonly config: ChangeSourceConfig;
  private readonly parts: ReadingParts;
  private readonly log: Logger;
  private readonly queue: FenceQueue;
  private source: Source | null = null;
  private stopping = false;
  private status: SourceStatus = 'connecting';
  private error: string | null = null;
  private position: string | null;
  private lagBytes: number | null = null;
  /** When it was last known to have nothing outstanding; wall ms. */
  private caughtUpAt: number | null = null;
  private settlings = 0;
  private closed: boolean;
  private closedBecause: string | null = null;
  private complaints = 0;
  private complaintsFrom = 0;
  private untold = false;
  private telling: Timer | null = null;
  private watching: Timer | null = null;
  private late = false;
  /** Since when it does not stream; `clock.now()`. */
  private idleSince: number | null;

  constructor(config: ChangeSourceConfig, parts: ReadingParts) {
    this.config = config;
    this.parts = parts;
    this.log = parts.log.with({ source: config.name });
    const { clock, random, found, board } = parts;
    this.mapping = compileMapping(
      config,
      (table, why) => this.complain(table, why),
      () => board.feed?.wanted ?? 0,
    );
    const goesOn = found !== null && found.mapping === this.mapping.hash;
    this.closed = !goesOn || found.closed;
    this.position = goesOn ? found.position : null;
    this.idleSince = clock.now();
    this.queue = new FenceQueue({
      clock,
      random,
      settle: config.settle,
      invalidate: (tags, said) => this.invalidate(tags, said),
      settling: (tags) => this.settles(tags),
      settled: (id) => {
        if (parts.seat === null) board.settled(config.name, id);
      },
      applied: (batch) => this.applied(batch),
    });
  }

  async start(): Promise<void> {
    const { seat } = this.parts;
    if (seat === null) void this.parts.board.own(this.config.name, this.standing({}));
    // Before anything is read with it, every node knows by which mapping.
    else if (this.closed) await this.stand();
    if (this.stopping) return;
    const { clock, random, memory, shared } = this.parts;
    const { name, maxLag } = this.config;
    const bounded = maxLag !== null;
    const own = { name, sink: this, clock, random, log: this.log, memory, shared, bounded };
    const source = await createSource(this.config.reader, own);
    if (this.stopping) return;
    this.source = source;
    source.start();
    this.watchLag();
  }

  private watchLag(): void {
    this.watching = this.parts.clock.after(LOOK_EVERY, () => {
      const seconds = this.lagSeconds() ?? 0;
      if (seconds > LATE && !this.late) {
        const bound = this.config.maxLag === null ? 'no bound but the lifetime of the answers' : 'maxLag';
        this.log.warn('a change source is behind', { seconds: Math.round(seconds), bound });
      }
      if (seconds < 1 && this.late) this.log.info('a change source has caught up');
      this.late = this.late ? seconds >= 1 : seconds > LATE;
      this.watchLag();
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.queue.stop();
    const { clock, board, seat } = this.parts;
    for (const timer of [this.telling, this.watching]) if (timer !== null) clock.cancel(timer);
    await this.source?.stop();
    if (seat === null) {
      board.forgetSettling(this.config.name);
      board.showState(this.config.name, 'stopped', null);
    }
    // What holds is what others say from now on.
    else void board.closeHere(this.config.name, false);
    this.status = 'stopped';
  }

  push(request: PushRequest): Promise<PushReply> | null {
    return this.source?.push?.(request) ?? null;
  }

  describe() {
    const { status: state, position, lagBytes, error } = this;
    return { state, position, lagBytes, lagSeconds: this.lagSeconds(), error };
  }

  /** Milliseconds for which it has not been able to read. */
  get idleFor(): number {
    return this.idleSince === null ? 0 : this.parts.clock.now() - this.idleSince;
  }

  apply(batch: ChangeBatch): Promise<void> {
    return this.queue.apply(batch);
  }

  passed(position: string): void {
    this.position = position;
    this.caughtUpAt = this.parts.clock.wall();
    this.tellLater();
  }

  current(): void {
    if (!this.queue.empty) return;
    this.caughtUpAt = this.parts.clock.wall();
    // Only who has a bound on lag waits for this.
    if (this.config.maxLag !== null) this.tellLater();
  }

  async lost(why: string): Promise<void> {
    this.log.warn('a change source has a gap: nothing that it feeds and that was read before is answered', {
      why,
    });
    await this.queue.fence(this.mapping.families);
  }

  async close(why: string): Promise<void> {
    if (why !== this.closedBecause)
      this.log.warn('nothing that this change source feeds is answered from the cache', { why });
    this.closed = true;
    this.closedBecause = why;
    const { board } = this.parts;
    // Where the log that nodes share is away, this node at least keeps to it.
    await board.closeHere(this.config.name, true);
    await this.stand();
  }

  async open({ anew = false } = {}): Promise<void> {
    if (!this.closed && !anew) return;
    this.closed = false;
    this.closedBecause = null;
    await this.stand();
    await this.parts.board.closeHere(this.config.name, false);
  }

  state(status: Exclude<SourceStatus, 'stopped'>, error: string | null = null): void {
    const changed = status !== this.status || error !== this.error;
    this.status = status;
    this.error = error;
    if (status === 'streaming') this.idleSince = null;
    else this.idleSince ??= this.parts.clock.now();
    if (!changed) return;
    this.tellLater();
    if (status === 'streaming') this.log.info('a change source streams', { position: this.position });
    else if (error === null) this.log.info('a change source connects');
    else this.log.warn(`a change source is ${status === 'lost' ? 'lost' : 'not connected'}`, { why: error });
  }

  lag(bytes: number | null): void {
    this.lagBytes = bytes;
  }

  /** Unseats all that the source feeds, and says how it stands. */
  async stand(): Promise<void> {
    await this.queue.fence(this.mapping.families);
    const { seat, board } = this.parts;
    if (seat === null) await board.own(this.config.name, this.standing({}));
  }

  /** Durable, and held by every worker of this node, with what is told beside it. */
  private async invalidate(tags: readonly string[], said: Said): Promise<void> {
    const { sequence, seat, board } = this.parts;
    const { early } = said;
    const what = { tags, prefixes: [], all: false, soft: false, ...(early && { early }) };
    if (seat === null) {
      if (tags.length > 0) await sequence.invalidate(what);
      if (said.changed !== undefined) board.changed(this.config.name, said.changed);
      return;
    }
    for (;;) {
      try {
        await sequence.invalidate(what, [this.note(seat, said)]);
        return;
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
        await this.reclaim(seat, error);
      }
    }
  }

  private async reclaim(seat: Seat, lost: Superseded): Promise<void> {
    const again = await seat.reclaim();
    if (again === null) throw new Unavailable(lost.message);
    if (!again.mine) {
      this.parts.superseded();
      throw new Stopped(lost.message);
    }
    const { found } = again;
    // Another node has read in between, or what was told is gone.
    if (found?.mapping !== this.mapping.hash || found.closed !== this.closed) await this.stand();
  }

  private note({ author }: Seat, said: Said): Note {
    const standing = encodeStanding(this.standing(said));
    return { topic: this.config.name, author, standing, event: encodeEvent(said) };
  }

  private standing({ position }: Said): Standing {
    const { closed, status: state, error } = this;
    const age = this.age(position !== undefined);
    return { mapping: this.mapping.hash, position: position || this.position, closed, state, error, age };
  }

  private async settles(tags: readonly string[]): Promise<Settling> {
    const { seat, board } = this.parts;
    const settling = { id: `${seat?.author ?? ''} ${++this.settlings}`, tags };
    if (seat === null) await board.settles(this.config.name, settling);
    return settling;
  }

  /** Milliseconds since all was applied that there was; null: that isn't known. With a position, the last that waits is. */
  private age(isProof: boolean): number | null {
    const now = this.parts.clock.wall();
    if (isProof && this.queue.waiting === 1) return 0;
    return this.caughtUpAt === null ? null : Math.max(0, now - this.caughtUpAt);
  }

  /** Seconds for which something is known, or may be, to wait. */
  private lagSeconds(): number | null {
    const now = this.parts.clock.wall();
    const { oldest } = this.queue;
    if (oldest !== null) return Math.max(0, (now - oldest) / 1000);
    if (this.caughtUpAt === null) return null;
    return this.status === 'streaming' ? 0 : Math.max(0, (now - this.caughtUpAt) / 1000);
  }

  private applied({ position, touched }: ChangeBatch): void {
    this.position = position || this.position;
    const { counts } = this.parts;
    counts.events += touched.events;
    counts.skipped += touched.skipped;
    if (this.queue.empty) this.caughtUpAt = this.parts.clock.wall();
    // Where nodes share a log, it has been told with the fences.
    if (this.parts.seat === null) void this.parts.board.own(this.config.name, this.standing({}));
  }

  /** At most so often; what changes meanwhile goes along. */
  private tellLater(): void {
    const { seat, board } = this.parts;
    if (this.stopping) return;
    if (seat === null) return void board.own(this.config.name, this.standing({}));
    this.untold = true;
    if (this.telling !== null) return;
    this.tell();
  }

  private tell(): void {
    this.untold = false;
    this.telling = this.parts.clock.after(TELL_EVERY, () => {
      this.telling = null;
      if (this.untold && !this.stopping) this.tell();
    });
    // What is under way tells of it.
    if (!this.queue.empty) return;
    const what = { tags: [], prefixes: [], all: false, soft: false };
    // What can't be told now is told with what comes next.
    this.parts.sequence.invalidate(what, [this.note(this.parts.seat!, {})]).catch(() => {});
  }

  private complain(table: string | null, why: string): void {
    const now = this.parts.clock.now();
    if (now - this.complaintsFrom > 60_000) {
      this.complaintsFrom = now;
      this.complaints = 0;
    }
    if (++this.complaints > COMPLAINTS_A_MINUTE) return;
    this.log.warn('a change was not understood; all that it may have touched is unseated', { table, why });
  }
}
