import { TagRecord } from './tag-record.ts';

/** One invalidation, as it goes to every holder of a cache. */
export interface Invalidation {
  readonly tags: readonly string[];
  /** Absolute URLs or paths: every entry whose URL begins so. */
  readonly prefixes: readonly string[];
  readonly all: boolean;
  /** What it reaches becomes stale, not dead. */
  readonly soft: boolean;
  /** Origins may still answer what was before: the same is invalidated once more as soon as none does. Absent: no. */
  readonly early?: boolean;
}

/** What an invalidation is compared with. */
export interface Fenced {
  /** Number of the newest invalidation when its fill began. */
  readonly sequence: number;
  readonly tags: readonly string[];
  readonly url: string;
}

/** Prefixes kept; with more, the floor rises over the oldest. */
const MAX_PREFIXES = 1000;

/**
 * Why a cached answer is never older than a change. Invalidations are numbered by one sequence that only
 * grows. A fill takes the number before it reads its origin, and the entry keeps it; the entry is alive only
 * while none of its tags has a later one. A fill that was overtaken by a change stores an entry that is dead
 * already: no lock, no deletion, no race, and a purge costs one write however much it unseats.
 */
export class Fences {
  private readonly hard = new FenceSet();
  private readonly soft = new FenceSet();
  private newest = 0;
  private told = 0;

  /** Number of the newest invalidation: what a fill takes before it reads its origin. */
  get sequence(): number {
    return this.newest;
  }

  /**
   * Grows with all that they are told: what they have found alive is alive for as long as this stands. The number of
   * the newest invalidation does not say so: one that comes late has a lower number, and unseats all the same.
   */
  get version(): number {
    return this.told;
  }

  /** Everything with a number below is dead. */
  get floor(): number {
    return this.hard.floor;
  }

  /** Number of the last invalidation of a tag that left nothing of it alive. */
  fencedAt(tag: string): number {
    return this.hard.fencedAt(tag);
  }

  /**
   * Applies an invalidation under its number: as a rule the next one, after a gap a later one, and an earlier one where
   * it comes late (numbers of a Redis Cluster, and those between two of Redis that a node has given itself).
   */
  apply(number: number, invalidation: Invalidation): void {
    this.told++;
    if (number > this.newest) this.newest = number;
    (invalidation.soft ? this.soft : this.hard).add(number, invalidation);
  }

  /** Nothing older is trusted any more: after a gap in the log, or in a new life of the sequence. */
  raiseFloor(number: number): void {
    this.told++;
    if (number > this.newest) this.newest = number;
    this.hard.floor = Math.max(this.hard.floor, number);
  }

  /** The number at which a holder that has nothing yet begins. */
  startAt(number: number): void {
    if (number > this.newest) this.newest = number;
  }

  /** Another sequence begins: its numbers mean nothing beside those of the old. */
  restart(): void {
    this.told++;
    this.hard.clear();
    this.soft.clear();
    this.newest = 0;
  }

  isDead(entry: Fenced): boolean {
    return this.hard.reaches(entry);
  }

  /** A soft purge has reached it: it may be served stale, where stale is allowed. */
  isStale(entry: Fenced): boolean {
    return this.soft.reaches(entry);
  }
}

class FenceSet {
  floor = 0;
  private tags = new TagRecord();
  private readonly prefixes = new Map<string, number>();

  add(number: number, { tags, prefixes, all }: Invalidation): void {
    if (all) this.floor = Math.max(this.floor, number);
    for (const tag of tags) this.tags.set(tag, number);
    for (const prefix of prefixes) this.addPrefix(prefix, number);
  }

  fencedAt(tag: string): number {
    return this.tags.get(tag);
  }

  reaches({ sequence, tags, url }: Fenced): boolean {
    if (sequence < this.floor) return true;
    for (const tag of tags) if (this.tags.get(tag) > sequence) return true;
    if (this.tags.get(urlTag(url)) > sequence) return true;
    if (this.prefixes.size === 0) return false;
    for (const [prefix, number] of this.prefixes)
      if (number > sequence && hasPrefix(url, prefix)) return true;
    return false;
  }

  clear(): void {
    this.floor = 0;
    this.tags = new TagRecord();
    this.prefixes.clear();
  }

  private addPrefix(prefix: string, number: number): void {
    const standing = this.prefixes.get(prefix) ?? 0;
    this.prefixes.delete(prefix);
    this.prefixes.set(prefix, Math.max(standing, number));
    if (this.prefixes.size <= MAX_PREFIXES) return;
    const [oldest, at] = this.prefixes.entries().next().value!;
    this.prefixes.delete(oldest);
    this.floor = Math.max(this.floor, at);
  }
}

/**
 * Does an absolute URL begin so? A prefix that begins with a slash is compared with its path, on every host. One that
 * ends in its first question mark is a whole path, with any query or none.
 */
export function hasPrefix(url: string, prefix: string): boolean {
  const from = prefix.startsWith('/') ? url.indexOf('/', url.indexOf('://') + 3) : 0;
  if (url.startsWith(prefix, from)) return true;
  const path = prefix.length - 1;
  return prefix.indexOf('?') === path && url.length - from === path && prefix.startsWith(url.slice(from));
}

const URL_TAG = '\0url ';

/** A URL is purged as a tag is; no tag of a config can be equal to one. */
export function urlTag(url: string): string {
  return URL_TAG + url;
}

/** The URL that a tag stands for; null: it is another tag. */
export function urlOfTag(tag: string): string | null {
  return tag.startsWith(URL_TAG) ? tag.slice(URL_TAG.length) : null;
}
