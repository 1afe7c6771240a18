import { hasPrefix, type Invalidation } from '../fences/index.ts';
import type { HotEntry } from './hot-entry.ts';

/**
 * Entries that are asked for often, found by what unseats them, in bounded memory: the ones whose request was kept
 * longest ago go first.
 */
export class HotEntries {
  private readonly limit: number;
  private readonly byName = new Map<string, HotEntry>();
  private readonly byTag = new Map<string, Set<HotEntry>>();
  private bytes = 0;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.byName.size;
  }

  get(name: string): HotEntry | undefined {
    return this.byName.get(name);
  }

  /** One whose name is free. Gives back those that had to make room for it. */
  add(hot: HotEntry): HotEntry[] {
    this.byName.set(hot.name, hot);
    for (const tag of hot.allTags) this.under(tag).add(hot);
    this.bytes += hot.bytes;
    const gone: HotEntry[] = [];
    while (this.bytes > this.limit) {
      const [oldest] = this.byName.values();
      gone.push(oldest!);
      this.delete(oldest!);
    }
    return gone;
  }

  delete(hot: HotEntry): void {
    if (this.byName.get(hot.name) !== hot) return;
    this.byName.delete(hot.name);
    this.bytes -= hot.bytes;
    for (const tag of hot.allTags) {
      const carriers = this.byTag.get(tag);
      carriers?.delete(hot);
      if (carriers?.size === 0) this.byTag.delete(tag);
    }
  }

  all(): Iterable<HotEntry> {
    return this.byName.values();
  }

  /** Those that an invalidation names, whether or not it is newer than they are. */
  namedBy({ tags, prefixes, all }: Invalidation): Iterable<HotEntry> {
    if (all) return [...this.all()];
    const named = new Set<HotEntry>();
    for (const tag of tags) for (const hot of this.byTag.get(tag) ?? []) named.add(hot);
    if (prefixes.length > 0)
      for (const hot of this.all()) if (prefixes.some((prefix) => hasPrefix(hot.url, prefix))) named.add(hot);
    return named;
  }

  private under(tag: string): Set<HotEntry> {
    let carriers = this.byTag.get(tag);
    if (carriers === undefined) {
      carriers = new Set();
      this.byTag.set(tag, carriers);
    }
    return carriers;
  }
}
