import type { Note, NoteHearer } from '../cache/index.ts';
import type { ChangeSourceConfig } from '../config/model.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { SourceStatus } from './contract.ts';
import { type ChangeEvent, ChangeFeed, type ToldRows } from './feed.ts';
import type { Settling, SourceNews } from './news.ts';
import { decodeEvent, decodeStanding, type Standing } from './standing.ts';

export interface BoardParts {
  readonly clock: Clock;
  /** To all workers: resolves once each has it, or has lost its lease. */
  announce(news: readonly SourceNews[]): Promise<unknown>;
  /** For people to see. */
  publish?(event: ChangeEvent): void;
}

/** Beside its time, until a change can be seen and that is told; ms. */
const LONGEST_SETTLING = 60_000;

/** Counts what workers are told, over all sources of this process. */
let told = 0;

type Followed = Pick<ChangeSourceConfig, 'settle' | 'maxLag'>;

interface Source {
  /** What its reader says, here or on another node; null: that isn't known. */
  standing: Standing | null;
  /** The last position whose fences every worker of this node holds. */
  position: string | null;
  /** This node can't follow it, whatever others say. */
  closedHere: boolean;
  readonly settling: Map<string, { readonly settling: Settling; readonly since: number }>;
  /** When all that there was had been applied; `clock.now()`. */
  freshAt: number | null;
  /** It has come late: what settles it has not heard of. */
  late: Timer | null;
  /** The log has told of it, rather than a reader of this node alone. */
  heard: boolean;
}

/**
 * What a node knows of its change sources: from its own reader, or by the log from the node that reads for all. It
 * tells its workers.
 */
export class SourceBoard implements NoteHearer {
  private readonly parts: BoardParts;
  private readonly sources = new Map<string, Source>();
  /** The sources of the config in force. */
  private followed: ReadonlyMap<string, Followed> = new Map();
  private readonly dirty = new Set<string>();
  private telling: Promise<void> | null = null;
  /** Null: nobody wants to see it. */
  readonly feed: ChangeFeed | null;

  constructor(parts: BoardParts) {
    this.parts = parts;
    const { clock, publish } = parts;
    this.feed = publish === undefined ? null : new ChangeFeed({ clock, publish });
  }

  /** Those of the config in force. */
  follow(configs: Readonly<Record<string, Followed>>): void {
    const before = this.followed;
    this.followed = new Map(Object.entries(configs));
    for (const name of this.followed.keys()) {
      // What the log told of it before was for nobody.
      if (!this.source(name).heard || before.has(name)) continue;
      this.comeLate(name);
      void this.tellNow(name);
    }
  }

  /** For a worker that has just started. */
  news(): SourceNews[] {
    return [...this.followed.keys()].map((name) => ({
      ...this.now(name),
      settling: this.settlingOf(name),
    }));
  }

  /** The last one applied of which this node's workers hold all fences. */
  position(name: string): string | null {
    return this.source(name).position;
  }

  standingOf(name: string): Standing | null {
    return this.source(name).standing;
  }

  /** Told by a reader that reads for this node alone. Resolves once the workers know. */
  own(name: string, standing: Standing): Promise<void> {
    const source = this.source(name);
    this.tellState(name, source.standing, standing);
    source.standing = standing;
    source.heard = false;
    source.position = standing.position;
    this.freshen(source, standing);
    return this.tell(name);
  }

  /** Rows whose change is applied on this node. */
  changed(name: string, rows: ToldRows): void {
    this.feed?.changed(name, rows);
  }

  /** Resolves once the workers know. */
  closeHere(name: string, closed: boolean): Promise<void> {
    const source = this.source(name);
    if (source.closedHere === closed) return Promise.resolve();
    source.closedHere = closed;
    return this.tellNow(name);
  }

  /** Those of a reader that has died are over when they must be. */
  private settlingOf(name: string): Settling[] {
    const { settling } = this.source(name);
    const least = this.parts.clock.now() - (this.followed.get(name)?.settle ?? 0) - LONGEST_SETTLING;
    for (const [id, { since }] of settling) if (since < least) settling.delete(id);
    return [...settling.values()].map((one) => one.settling);
  }

  /** Resolves once no worker stores what carries these tags. */
  async settles(name: string, settling: Settling): Promise<void> {
    const since = this.parts.clock.now();
    this.source(name).settling.set(settling.id, { settling, since });
    await this.parts.announce([{ ...this.now(name), settling: [settling] }]);
  }

  settled(name: string, id: string): void {
    this.source(name).settling.delete(id);
    void this.parts.announce([{ ...this.now(name), settled: [id] }]);
  }

  /** Its reader has ended, and with it what it would have said is over. */
  forgetSettling(name: string): void {
    const { settling } = this.source(name);
    const ids = [...settling.keys()];
    settling.clear();
    if (ids.length > 0) void this.parts.announce([{ ...this.now(name), settled: ids }]);
  }

  foretold(notes: readonly Note[]): void {
    for (const { topic, event } of notes) {
      const { begins } = decodeEvent(event);
      if (begins !== undefined) void this.settles(topic, begins);
    }
  }

  noted(notes: readonly Note[], held: Promise<unknown>): void {
    for (const { topic, standing: text, event } of notes) {
      this.stands(topic, decodeStanding(text), held);
      const { ends, changed } = decodeEvent(event);
      if (ends !== undefined) this.settled(topic, ends);
      if (changed !== undefined && this.feed !== null) void held.then(() => this.changed(topic, changed));
    }
  }

  standing(all: ReadonlyMap<string, string> | null, held: Promise<unknown>): void {
    for (const name of new Set([...this.sources.keys(), ...(all?.keys() ?? [])])) {
      const text = all?.get(name);
      if (all !== null) this.comeLate(name);
      this.stands(name, text === undefined ? null : decodeStanding(text), held);
    }
  }

  private stands(name: string, standing: Standing | null, held: Promise<unknown>): void {
    const source = this.source(name);
    const before = source.standing;
    source.standing = standing;
    source.heard = true;
    if (standing !== null) this.tellState(name, before, standing);
    // What stood before this node came is of unknown age.
    if (standing !== null && before !== null) this.freshen(source, standing);
    const changed = before?.mapping !== standing?.mapping || before?.closed !== standing?.closed;
    if (before?.mapping !== standing?.mapping) source.position = null;
    if (changed) void this.tellNow(name);
    const position = standing?.position ?? null;
    if (position === source.position && this.followed.get(name)?.maxLag === null) return;
    void held.then(() => {
      if (source.standing?.mapping !== standing?.mapping) return;
      source.position = position ?? source.position;
      void this.tell(name);
    });
  }

  private freshen(source: Source, { age }: Standing): void {
    if (age === null) return;
    source.freshAt = Math.max(source.freshAt ?? Number.NEGATIVE_INFINITY, this.parts.clock.now() - age);
  }

  private tellState(name: string, before: Standing | null, { state, error }: Standing): void {
    if (!this.followed.has(name) || (before?.state === state && before.error === error)) return;
    this.showState(name, state, error);
  }

  showState(name: string, state: SourceStatus, error: string | null): void {
    this.parts.publish?.({ type: 'source', data: { name, state, error } });
  }

  /** Changes that settle may have begun to before: until they have ended nothing is kept. */
  private comeLate(name: string): void {
    const settle = this.followed.get(name)?.settle ?? 0;
    const source = this.source(name);
    if (settle === 0 || source.late !== null) return;
    source.late = this.parts.clock.after(settle, () => {
      source.late = null;
      void this.tellNow(name);
    });
  }

  private source(name: string): Source {
    let source = this.sources.get(name);
    if (source === undefined) {
      source = {
        standing: null,
        position: null,
        closedHere: false,
        settling: new Map(),
        freshAt: null,
        late: null,
        heard: false,
      };
      this.sources.set(name, source);
    }
    return source;
  }

  private now(name: string): SourceNews {
    const { standing, position, closedHere, freshAt, late } = this.source(name);
    const closed = closedHere || standing === null || standing.closed || late !== null;
    const age = freshAt === null ? null : this.parts.clock.now() - freshAt;
    return { name, number: ++told, mapping: standing?.mapping ?? '', position, closed, age };
  }

  /** One message at a time; what changes meanwhile goes with the next. */
  private tell(name: string): Promise<void> {
    if (!this.followed.has(name)) return Promise.resolve();
    this.dirty.add(name);
    this.telling ??= this.tellAll();
    return this.telling;
  }

  private async tellAll(): Promise<void> {
    while (this.dirty.size > 0) {
      const names = [...this.dirty];
      this.dirty.clear();
      await this.parts.announce(names.map((name) => this.now(name)));
    }
    this.telling = null;
  }

  /** What changes whether anything may be answered waits for nothing. */
  private async tellNow(name: string): Promise<void> {
    if (this.followed.has(name)) await this.parts.announce([this.now(name)]);
  }

  stop(): void {
    this.feed?.stop();
    for (const { late } of this.sources.values()) if (late !== null) this.parts.clock.cancel(late);
  }
}
