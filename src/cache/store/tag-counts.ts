import type { Entry } from '../entry.ts';

/** What is asked of the fences. */
export interface FencedTags {
  /** Everything with a number below is dead. */
  readonly floor: number;
  /** Number of the tag's last invalidation. */
  fencedAt(tag: string): number;
}

/**
 * How many entries in memory carry each tag and are not unseated by it: for people, who see what a change has
 * unseated. It costs fills and evictions a little, and hits nothing.
 */
export class TagCounts {
  private readonly fences: FencedTags;
  private readonly counts = new Map<string, number>();

  constructor(fences: FencedTags) {
    this.fences = fences;
  }

  added(entry: Entry): void {
    for (const tag of entry.tags)
      if (this.counted(tag, entry)) this.counts.set(tag, (this.counts.get(tag) ?? 0) + 1);
  }

  removed(entry: Entry): void {
    for (const tag of entry.tags) {
      const count = this.counts.get(tag);
      if (count === undefined || !this.counted(tag, entry)) continue;
      if (count > 1) this.counts.set(tag, count - 1);
      else this.counts.delete(tag);
    }
  }

  /** These tags are to be fenced: how many entries each unseats, where it does any. Before the fences are told. */
  unseat(tags: readonly string[]): [tag: string, count: number][] {
    const unseated: [string, number][] = [];
    for (const tag of tags) {
      const count = this.counts.get(tag);
      if (count === undefined) continue;
      this.counts.delete(tag);
      unseated.push([tag, count]);
    }
    return unseated;
  }

  /** The floor has risen over everything. */
  clear(): void {
    this.counts.clear();
  }

  private counted(tag: string, { sequence }: Entry): boolean {
    return sequence >= this.fences.floor && this.fences.fencedAt(tag) <= sequence;
  }
}
