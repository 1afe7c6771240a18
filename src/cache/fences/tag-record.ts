import { boundedText } from '../../util/own-text.ts';
import { RecentKeys } from '../../util/recent-keys.ts';

/** Tags in each of the two generations that are kept exactly. */
const GENERATION = 32_768;
/** Slots of the table, a power of two. 8 MiB, made when the first tags are folded. */
const SLOTS = 2 ** 20;

/**
 * For each tag the number of its last invalidation, in bounded memory: recent tags exactly, older ones folded
 * into a table in which tags that share a slot share the greatest number. Sharing unseats too much, never too
 * little; so nothing is ever forgotten, and nothing ever has to be emptied.
 */
export class TagRecord {
  private readonly recent: RecentKeys<number>;
  private table: Float64Array | null = null;

  constructor(generation = GENERATION) {
    this.recent = new RecentKeys(generation, (tags) => this.fold(tags));
  }

  /** Numbers grow from call to call, as a rule; one that comes late lowers nothing. */
  set(tag: string, number: number): void {
    if (this.get(tag) <= number) this.recent.set(tag, number);
  }

  /** The number of the tag's last invalidation, or a greater one; 0 where it never had any. */
  get(tag: string): number {
    const exact = this.recent.get(tag);
    if (exact !== undefined) return exact;
    return this.table === null ? 0 : this.table[slotOf(boundedText(tag))]!;
  }

  private fold(tags: ReadonlyMap<string, number>): void {
    this.table ??= new Float64Array(SLOTS);
    for (const [tag, number] of tags) {
      const slot = slotOf(tag);
      if (this.table[slot]! < number) this.table[slot] = number;
    }
  }
}

/** FNV-1a with a final mix: tags differ mostly in their last digits. */
export function slotOf(tag: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return hash & (SLOTS - 1);
}
