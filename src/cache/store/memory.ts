import { MOST_TEXT } from '../../http/repeated.ts';
import { type Indexed, KeyIndex } from '../../util/key-index.ts';
import { type Linked, LinkedList } from '../../util/linked-list.ts';
import { ownText } from '../../util/own-text.ts';
import { RecentKeys } from '../../util/recent-keys.ts';
import type { Entry } from '../entry.ts';
import { compact } from './compact.ts';

/** Hears of each entry that comes and goes. */
export interface StoreWatcher {
  added(entry: Entry): void;
  removed(entry: Entry): void;
}

/** What a stored value costs beside its bytes: objects, strings, links. */
const OVERHEAD = 1280;
/** The part of the space in which newcomers must prove themselves. */
const PROBATION = 0.1;
const MOST_USES = 3;
/** Keys in each of two generations that are remembered when they have left probation. */
const GHOSTS = 8192;
/** Variants of one key (Vary) that are kept; the oldest go first. */
const MAX_VARIANTS = 32;

/** What is stored under a key. */
export interface Variants {
  /** The newest last. */
  readonly all: readonly Entry[];
  /** The only one, where it answers all requests: what most keys have, without a list in between. */
  readonly only: Entry | null;
}

const NONE: readonly Entry[] = [];

/** What a lookup reads comes first, and in one piece: see `compact`. */
class Slot implements Linked, Indexed<Slot>, Variants {
  hash = 0;
  below: Slot | null = null;
  readonly key: string;
  only: Entry | null = null;
  uses = 0;
  bytes = 0;
  /** In the main queue; else on probation. */
  main: boolean;
  after: Slot | null = null;
  before: Slot | null = null;
  private list: readonly Entry[] = NONE;

  constructor(key: string, main: boolean) {
    this.key = key;
    this.main = main;
  }

  get all(): readonly Entry[] {
    return this.only === null ? this.list : [this.only];
  }

  set all(entries: readonly Entry[]) {
    this.only = entries.length === 1 && entries[0]!.varyOn.length === 0 ? entries[0]! : null;
    this.list = this.only === null ? entries : NONE;
  }
}

export interface StoreCounts {
  entries: number;
  bytes: number;
  evictions: number;
}

/**
 * Stored answers by key, in bounded memory. Eviction is S3-FIFO (Yang et al., SOSP 2023): a newcomer is on
 * probation in a small queue, and moves to the main one only if it is asked for again; one that left probation
 * unasked is remembered for a while, and goes straight to the main queue if it comes back. A scan over
 * everything so passes through a tenth of the space and leaves the rest alone. A hit moves nothing.
 */
export class MemoryStore {
  private limit: number;
  private readonly slots = new KeyIndex<Slot>();
  private readonly probation = new LinkedList<Slot>();
  private readonly main = new LinkedList<Slot>();
  /** Keys that left probation unasked. */
  private readonly ghosts = new RecentKeys<true>(GHOSTS);
  private probationBytes = 0;
  private bytes = 0;
  private entryCount = 0;
  private evictions = 0;
  private watcher: StoreWatcher | null = null;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  counts(): StoreCounts {
    return { entries: this.entryCount, bytes: this.bytes, evictions: this.evictions };
  }

  /** From now on it hears of everything; what is there counts as added now. Null: of nothing more. */
  watch(watcher: StoreWatcher | null): void {
    if ((this.watcher === null) === (watcher === null)) return;
    this.watcher = watcher;
    if (watcher !== null) for (const { all } of this.slots) for (const entry of all) watcher.added(entry);
  }

  clear(): void {
    for (const slot of [...this.slots]) this.drop(slot);
  }

  resize(limit: number): void {
    this.limit = limit;
    this.makeRoom();
  }

  /** The variants under a key; undefined where there are none. */
  get(key: string): Variants | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    if (slot.uses < MOST_USES) slot.uses++;
    return slot;
  }

  /** The same for one who does not ask for it. */
  peek(key: string): Variants | undefined {
    return this.slots.get(key);
  }

  /**
   * Stores an entry under its key, in place of the variant that answers the same requests. Gives the one that is kept:
   * whoever means what stands here goes on with that.
   */
  put(key: string, entry: Entry): Entry {
    const standing = this.slots.get(key);
    if (bytesOf(key, entry) > this.limit) {
      if (standing !== undefined) this.drop(standing);
      return entry;
    }
    const own = standing?.key ?? ownText(key);
    const kept = compact(own, entry);
    const others = standing?.all.filter((other) => !sameVariant(other, entry)) ?? [];
    this.replace(standing, own, [...others.slice(-(MAX_VARIANTS - 1)), kept]);
    return kept;
  }

  /** Swaps one entry for what became of it (a 304 freshened it), if it still stands. What is kept then, else `to`. */
  update(key: string, from: Entry, to: Entry): Entry {
    const slot = this.slots.get(key);
    if (slot === undefined || !slot.all.includes(from)) return to;
    const kept = compact(slot.key, to);
    const entries = slot.all.map((entry) => (entry === from ? kept : entry));
    this.replace(slot, slot.key, entries);
    return kept;
  }

  delete(key: string): void {
    const slot = this.slots.get(key);
    if (slot !== undefined) this.drop(slot);
  }

  /** Takes dead entries away, so that they don't hold the place of live ones. */
  discard(key: string, dead: Entry): void {
    const slot = this.slots.get(key);
    if (slot === undefined) return;
    const left = slot.all.filter((entry) => entry !== dead);
    if (left.length === 0) this.drop(slot);
    else if (left.length < slot.all.length) this.replace(slot, slot.key, left);
  }

  /** More is kept with an entry than before, or less. */
  recount({ key }: Entry): void {
    const slot = key === undefined ? undefined : this.slots.get(key);
    if (slot !== undefined) this.replace(slot, slot.key, slot.all);
  }

  private replace(slot: Slot | undefined, key: string, entries: readonly Entry[]): void {
    const bytes = entries.reduce((sum, entry) => sum + bytesOf(key, entry), 0);
    if (bytes > this.limit) {
      if (slot !== undefined) this.drop(slot);
      return;
    }
    if (slot === undefined) return this.insert(key, entries, bytes);
    this.account(slot, bytes - slot.bytes, entries.length - slot.all.length);
    if (this.watcher !== null) tellChange(this.watcher, slot.all, entries);
    slot.all = entries;
    slot.bytes = bytes;
    this.makeRoom();
  }

  private insert(key: string, entries: readonly Entry[], bytes: number): void {
    const main = this.ghosts.delete(key);
    const slot = new Slot(key, main);
    slot.all = entries;
    this.slots.add(slot);
    (main ? this.main : this.probation).push(slot);
    this.account(slot, bytes, entries.length);
    if (this.watcher !== null) tellChange(this.watcher, [], entries);
    slot.bytes = bytes;
    this.makeRoom();
  }

  private account(slot: Slot, bytes: number, entries: number): void {
    this.bytes += bytes;
    this.entryCount += entries;
    if (!slot.main) this.probationBytes += bytes;
  }

  private makeRoom(): void {
    while (this.bytes > this.limit) {
      if (this.probationBytes > this.limit * PROBATION || this.main.size === 0) this.evictFromProbation();
      else this.evictFromMain();
    }
  }

  private evictFromProbation(): void {
    const slot = this.probation.first!;
    if (slot.uses > 1) return this.promote(slot);
    this.evictions += slot.all.length;
    this.ghosts.set(slot.key, true);
    this.drop(slot);
  }

  private promote(slot: Slot): void {
    this.probation.remove(slot);
    this.probationBytes -= slot.bytes;
    slot.main = true;
    slot.uses = 0;
    this.main.push(slot);
  }

  private evictFromMain(): void {
    for (;;) {
      const slot = this.main.first!;
      if (slot.uses === 0) {
        this.evictions += slot.all.length;
        return this.drop(slot);
      }
      slot.uses--;
      this.main.remove(slot);
      this.main.push(slot);
    }
  }

  private drop(slot: Slot): void {
    this.slots.remove(slot);
    (slot.main ? this.main : this.probation).remove(slot);
    this.account(slot, -slot.bytes, -slot.all.length);
    if (this.watcher !== null) tellChange(this.watcher, slot.all, []);
  }
}

function tellChange(watcher: StoreWatcher, before: readonly Entry[], after: readonly Entry[]): void {
  for (const entry of before) if (!after.includes(entry)) watcher.removed(entry);
  for (const entry of after) if (!before.includes(entry)) watcher.added(entry);
}

function sameVariant(a: Entry, b: Entry): boolean {
  if (a.varyOn.length !== b.varyOn.length) return false;
  return a.varyOn.every((name, i) => name === b.varyOn[i] && a.varyValues[i] === b.varyValues[i]);
}

/** With its head, and a short body, once more: as the text that hits are written from. */
function bytesOf(key: string, entry: Entry): number {
  const { length } = entry.body;
  let bytes = OVERHEAD + key.length + entry.url.length + length + (length <= MOST_TEXT ? length : 0);
  if (entry.hits?.entry === entry) bytes += entry.hits.codedBytes;
  for (const text of entry.headers) bytes += 8 + 2 * text.length;
  for (const tag of entry.tags) bytes += 40 + tag.length;
  for (const value of entry.varyValues) bytes += 40 + (value?.length ?? 0);
  return bytes;
}
