import type { SequenceLog } from '../../cache/index.ts';
import type { ChangeSourceConfig } from '../../config/model.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type {
  ChangeBatch,
  Mapping,
  PushReply,
  PushRequest,
  Source,
  SourceMemory,
  SourceSink,
  SourceStatus,
} from '../contract.ts';
import { compileMapping } from '../mapping/index.ts';
import type { Settling, SourceNews } from '../news.ts';
import { createSource } from './create.ts';
import { FenceQueue } from './fence-queue.ts';

/** A source in the words of `GET /v1/changes`. */
export interface SourceDescription {
  name: string;
  kind: ChangeSourceConfig['reader']['kind'];
  state: SourceStatus;
  /** The last one applied. */
  position: string | null;
  lagBytes: number | null;
  lagSeconds: number | null;
  /** Rows of mapped tables. */
  events: number;
  /** Events that could not be understood; what they may have touched was fenced. */
  skipped: number;
  error: string | null;
}

/** What a transaction changed, for people to see: `GET /v1/events`. */
export interface AppliedChange {
  readonly source: string;
  readonly position: string;
  readonly tags: readonly string[];
  readonly events: number;
}

export interface ReaderParts {
  readonly sequence: SequenceLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly memory: SourceMemory;
  /** Nodes share their invalidations. */
  readonly shared: boolean;
  /** To all workers: resolves once each has it, or has lost its lease. */
  announce(news: readonly SourceNews[]): Promise<void>;
  /** Told of what was applied, at most some of it when much is. */
  applied?(change: AppliedChange): void;
}

/** Poison events are told of one by one up to so many a minute, then counted only. */
const COMPLAINTS_A_MINUTE = 10;
const MOST_SHOWN_TAGS = 20;

/** Counts what workers are told, over all sources of this process. */
let told = 0;

/** One source that runs: its reader, the fences it sets, and what it tells of itself. */
export class RunningSource implements SourceSink {
  readonly config: ChangeSourceConfig;
  readonly mapping: Mapping;
  private readonly parts: ReaderParts;
  private readonly log: Logger;
  private readonly queue: FenceQueue;
  private source: Source | null = null;
  private stopping = false;
  private status: SourceStatus = 'connecting';
  private error: string | null = null;
  private position: string | null = null;
  private lagBytes: number | null = null;
  /** When it was last known to have nothing outstanding; wall ms. */
  private caughtUpAt: number | null = null;
  private readonly settling = new Map<number, Settling>();
  private settlings = 0;
  private events = 0;
  private skipped = 0;
  private closed: boolean;
  private closedBecause: string | null = null;
  private complaints = 0;
  private complaintsFrom = 0;
  private announcing = false;
  private unannounced = false;

  constructor(config: ChangeSourceConfig, parts: ReaderParts) {
    this.config = config;
    this.parts = parts;
    this.log = parts.log.with({ source: config.name });
    this.mapping = compileMapping(config, (table, why) => this.complain(table, why));
    // Nothing is proven before the first connection; with a shared log another node may be reading.
    this.closed = !parts.shared;
    const { sequence, clock, random } = parts;
    this.queue = new FenceQueue({
      sequence,
      clock,
      random,
      settle: config.settle,
      settling: (tags) => this.settleBegins(tags),
      settled: (id) => this.settleEnds(id),
      applied: (batch) => this.applied(batch),
    });
  }

  async start(): Promise<void> {
    void this.announce();
    const { clock, random, memory, shared } = this.parts;
    const own = { name: this.config.name, sink: this, clock, random, log: this.log, memory, shared };
    const source = await createSource(this.config.reader, own);
    if (this.stopping) return;
    this.source = source;
    source.start();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.queue.stop();
    await this.source?.stop();
    this.status = 'stopped';
  }

  push(request: PushRequest): Promise<PushReply> | null {
    return this.source?.push?.(request) ?? null;
  }

  private now(): SourceNews {
    const { position, closed } = this;
    return { name: this.config.name, number: ++told, mapping: this.mapping.hash, position, closed };
  }

  news(): SourceNews {
    return { ...this.now(), settling: [...this.settling.values()] };
  }

  /** Resolves with a number once no worker stores what carries these tags. */
  private async settleBegins(tags: readonly string[]): Promise<number> {
    const settling = { id: ++this.settlings, tags };
    this.settling.set(settling.id, settling);
    await this.parts.announce([{ ...this.now(), settling: [settling] }]);
    return settling.id;
  }

  private settleEnds(id: number): void {
    this.settling.delete(id);
    void this.parts.announce([{ ...this.now(), settled: [id] }]);
  }

  describe(): SourceDescription {
    return {
      name: this.config.name,
      kind: this.config.reader.kind,
      state: this.status,
      position: this.position,
      lagBytes: this.lagBytes,
      lagSeconds: this.lagSeconds(),
      events: this.events,
      skipped: this.skipped,
      error: this.error,
    };
  }

  apply(batch: ChangeBatch): Promise<void> {
    return this.queue.apply(batch);
  }

  passed(position: string): void {
    this.position = position;
    this.caughtUpAt = this.parts.clock.wall();
    void this.announce();
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
    await this.announce();
    await this.queue.fence(this.mapping.families);
  }

  async open(): Promise<void> {
    if (!this.closed) return;
    await this.queue.fence(this.mapping.families);
    this.closed = false;
    this.closedBecause = null;
    await this.announce();
  }

  state(status: Exclude<SourceStatus, 'stopped'>, error: string | null = null): void {
    const changed = status !== this.status || error !== this.error;
    this.status = status;
    this.error = error;
    if (!changed) return;
    if (status === 'streaming') this.log.info('a change source streams', { position: this.position });
    else if (error === null) this.log.info('a change source connects');
    else this.log.warn(`a change source is ${status === 'lost' ? 'lost' : 'not connected'}`, { why: error });
  }

  lag(bytes: number | null): void {
    this.lagBytes = bytes;
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
    this.position = position;
    this.events += touched.events;
    this.skipped += touched.skipped;
    if (this.queue.empty) this.caughtUpAt = this.parts.clock.wall();
    void this.announce();
    if (this.parts.applied === undefined || touched.tags.size === 0) return;
    const tags = [...touched.tags].slice(0, MOST_SHOWN_TAGS);
    this.parts.applied({ source: this.config.name, position, tags, events: touched.events });
  }

  /** One message at a time; what changes meanwhile goes with the next. */
  private async announce(): Promise<void> {
    this.unannounced = true;
    if (this.announcing) return this.announced;
    this.announcing = true;
    this.announced = this.tellWorkers().finally(() => {
      this.announcing = false;
    });
    return this.announced;
  }

  private announced: Promise<void> = Promise.resolve();

  private async tellWorkers(): Promise<void> {
    while (this.unannounced) {
      this.unannounced = false;
      await this.parts.announce([this.now()]);
    }
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
