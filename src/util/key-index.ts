import { KeyedHash } from './keyed-hash.ts';

/** What an index finds by its key. The index keeps its place in it. */
export interface Indexed<T> {
  readonly key: string;
  hash: number;
  /** The next one in the same bucket. */
  below: T | null;
}

const FEWEST = 64;

/**
 * Items by key, for very many that are asked for in turn: each lookup then finds nothing in the processor's caches, and
 * costs what it looks at. A Map looks at a bucket, a place in its table, the key there, and often at the place and key
 * of another; this looks at a bucket, the item, and its key, for an item that is not meant has another hash.
 *
 * It grows by a bucket at a time (linear hashing, Litwin, VLDB 1980): nobody waits until a million places are filled
 * anew. Two buckets, of 8 bytes each, are left for each item of its largest day.
 */
export class KeyIndex<T extends Indexed<T>> {
  private readonly hash = new KeyedHash();
  private buckets: (T | null)[] = emptyBuckets();
  /** Buckets when the last doubling was done: a power of two. Those from here on are halves of the first ones. */
  private whole = FEWEST;
  /** The last key that was not found, for it is often added next. */
  private missed: string | null = null;
  private missedHash = 0;
  size = 0;

  get(key: string): T | undefined {
    // A node that keeps nothing in memory hashes nothing.
    if (this.size === 0) return undefined;
    const hash = this.hash.of(key);
    let item: T | null = this.buckets[this.bucketOf(hash)]!;
    while (item !== null) {
      if (item.hash === hash && item.key === key) return item;
      item = item.below;
    }
    this.missed = key;
    this.missedHash = hash;
    return undefined;
  }

  /** Adds an item whose key no other has. */
  add(item: T): void {
    item.hash = item.key === this.missed ? this.missedHash : this.hash.of(item.key);
    this.put(item);
    this.size++;
    while (this.size * 2 > this.buckets.length) this.split();
  }

  /** Takes an item out that is in it. */
  remove(item: T): void {
    const at = this.bucketOf(item.hash);
    let above: T | null = null;
    for (let other: T = this.buckets[at]!; other !== item; other = other.below!) above = other;
    if (above === null) this.buckets[at] = item.below;
    else above.below = item.below;
    item.below = null;
    this.size--;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const bucket of this.buckets) for (let item = bucket; item !== null; item = item.below) yield item;
  }

  private bucketOf(hash: number): number {
    const at = hash & (this.whole * 2 - 1);
    return at < this.buckets.length ? at : at - this.whole;
  }

  private put(item: T): void {
    const at = this.bucketOf(item.hash);
    item.below = this.buckets[at]!;
    this.buckets[at] = item;
  }

  /** One more bucket, for half of what was in the oldest that is whole. */
  private split(): void {
    const from = this.buckets.length - this.whole;
    let item: T | null = this.buckets[from]!;
    this.buckets[from] = null;
    this.buckets.push(null);
    while (item !== null) {
      const next: T | null = item.below;
      this.put(item);
      item = next;
    }
    if (this.buckets.length === this.whole * 2) this.whole *= 2;
  }
}

function emptyBuckets(): null[] {
  return Array.from({ length: FEWEST }, () => null);
}
