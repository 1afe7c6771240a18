import type { Exchange } from '../../http/exchange.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { Entry } from '../entry.ts';
import { Fences, type Invalidation } from '../fences/index.ts';
import { currentAge } from '../policy/index.ts';
import type { Refreshes } from '../refresh/index.ts';
import type { SharedStore, SharedStoreState } from '../shared-store.ts';
import { MemoryStore, TagCounts } from '../store/index.ts';
import { Audits } from './audits.ts';
import type { Problem } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import { Flights } from './flights.ts';
import type { OwnWrites } from './own-writes.ts';
import { Passes } from './passes.ts';

export interface CacheParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly problem: Problem;
  readonly log: Logger;
  /** May this worker answer from memory at all? Reads the clock at each call. */
  readonly lease: { holds(): boolean };
  /** Numbers an invalidation; resolves once no worker of the node answers what it unseats. */
  readonly invalidate: (what: Invalidation) => Promise<unknown>;
}

/** Entries in memory that an invalidation has unseated, by tag; where there were any. */
export type Unseated = readonly (readonly [tag: string, count: number])[];

/** What a worker tells of its cache. */
export interface CacheCounts {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
  evictions: number;
  /** Fills under way. */
  fills: number;
}

/**
 * A worker's cache: what outlives the snapshots that use it. Entries in memory, the fences that unseat them, fills
 * under way, and the level that nodes share.
 */
export class Cache {
  readonly parts: CacheParts;
  readonly memory: MemoryStore;
  readonly fences = new Fences();
  /** Fills under way, by their names: what they are is for `misses.ts` to know. */
  readonly flights = new Flights();
  readonly passes = new Passes();
  readonly audits: Audits;
  /** The second level; null: none. */
  shared: SharedStore | null = null;
  /** The change sources that keep right what routes store that are compiled from now on; null: there are none. */
  fedBy: FedBy | null = null;
  /** What clients read no older than they wrote it, for routes that are compiled from now on; null: they are not told apart. */
  ownWrites: OwnWrites | null = null;
  /** What is filled again once a change has unseated it, by the routes of the config in force; null: nothing is. */
  private refreshes: Refreshes | null = null;
  /** Clients who have waited in vain for a change source: nothing that is asked for them waits once more. */
  readonly behind = new WeakSet<Exchange>();
  /** Grows when another sequence begins: a fill of the old one stores nothing. */
  life = 0;
  /** Numbers requests that wait and fills in the order in which they came. */
  ticks = 0;
  hits = 0;
  misses = 0;
  /** Until when tagged entries may be answered; `clock.now()`. */
  private syncedUntil = Number.POSITIVE_INFINITY;
  /** Until when those of the level that nodes share may be; `clock.now()`. */
  private sharedUntil = Number.POSITIVE_INFINITY;
  /** It knows where the sequence stands. */
  private begun = false;
  private tagCounts: TagCounts | null = null;

  constructor(parts: CacheParts, memoryBytes: number) {
    this.parts = parts;
    this.audits = new Audits(parts.clock);
    this.memory = new MemoryStore(memoryBytes);
  }

  counts(): CacheCounts {
    const { hits, misses } = this;
    return { ...this.memory.counts(), hits, misses, fills: this.flights.size };
  }

  /** The state of the second level, for people; null where there is none. */
  sharedState(): SharedStoreState | null {
    return this.shared?.describe() ?? null;
  }

  /** The log that nodes share was complete so lately that tagged entries may be answered until then. */
  syncedTo(until: number): void {
    this.syncedUntil = until;
  }

  /**
   * The level that nodes share can't be written since: it may be the side of a split on which nobody invalidates any
   * more. Infinity: it can.
   */
  sharedTo(until: number): void {
    this.sharedUntil = until;
  }

  /** May an entry with these tags be answered that was just read from the level that nodes share? */
  mayShare(tags: readonly string[]): boolean {
    return tags.length === 0 || this.parts.clock.now() < this.sharedUntil;
  }

  /** May an entry with these tags be answered from memory now? Whether it is fresh is another question. */
  mayAnswer(tags: readonly string[]): boolean {
    return this.parts.lease.holds() && (tags.length === 0 || this.isSynced());
  }

  private isSynced(): boolean {
    return this.syncedUntil === Number.POSITIVE_INFINITY || this.parts.clock.now() < this.syncedUntil;
  }

  /**
   * The entry as the fences leave it: undefined where it is dead; stale from now on where a soft purge has reached
   * it. While nothing is invalidated, an entry that was looked at once costs one comparison.
   */
  standing(key: string, entry: Entry): Entry | undefined {
    const { fences } = this;
    if (entry.aliveAt === fences.version) return entry;
    if (fences.isDead(entry)) return undefined;
    const left = fences.isStale(entry) ? this.softened(key, entry) : entry;
    left.aliveAt = fences.version;
    return left;
  }

  private softened(key: string, entry: Entry): Entry {
    const age = currentAge(entry, this.parts.clock.wall());
    if (entry.lifetime <= age) return entry;
    return this.memory.update(key, entry, { ...entry, lifetime: age });
  }

  /** Counts what invalidations unseat from now on, or no more. */
  countUnseated(on: boolean): void {
    if (!on) this.tagCounts = null;
    else this.tagCounts ??= new TagCounts(this.fences);
    this.memory.watch(this.tagCounts);
  }

  /** An invalidation under its number. How many entries each of its tags unseats, where that is counted. */
  unseat(number: number, what: Invalidation): Unseated {
    const unseated = what.soft ? [] : (this.tagCounts?.unseat(what.tags) ?? []);
    this.fences.apply(number, what);
    if (what.all && !what.soft) this.tagCounts?.clear();
    this.refreshes?.unseat(what);
    return unseated;
  }

  /** Everything below a number is dead. */
  raiseFloor(number: number): void {
    this.fences.raiseFloor(number);
    this.tagCounts?.clear();
    this.refreshes?.unseatAll();
  }

  /** From now on these are told what is unseated; what routes of the config before would have filled is not filled. */
  refreshWith(refreshes: Refreshes | null): void {
    this.refreshes?.close();
    this.refreshes = refreshes;
  }

  /** What may be stored has changed: a source is followed again, or origins show by now what it has told. */
  storableAgain(): void {
    this.refreshes?.lookAgain();
  }

  /** Where the sequence stands. What was filled before that was known has no number that means anything. */
  startAt(number: number): void {
    if (!this.begun) {
      this.begun = true;
      this.life++;
      this.memory.clear();
      this.refreshes?.clear();
    }
    this.fences.startAt(number);
  }

  /** Another sequence begins, whose numbers mean nothing beside those of the old: all is forgotten. */
  restart(): void {
    this.life++;
    this.begun = false;
    this.memory.clear();
    this.refreshes?.clear();
    this.fences.restart();
    this.tagCounts?.clear();
  }

  async close(): Promise<void> {
    this.audits.close();
    this.refreshWith(null);
    await this.shared?.close();
    this.shared = null;
  }
}
