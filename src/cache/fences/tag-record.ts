import { boundedText, ownText } from '../../util/own-text.ts';

/** Tags in each of the two generations that are kept exactly. */
const GENERATION = 32_768;
/** Slots of the table, a power of two. 8 MiB, made when the first tags are folded. */
const SLOTS = 2 ** 20;

/**
 * For each tag the number of its last invalidation, in bounded memory: recent tags exactly, older ones folded
 * into a table in which tags that share a slot share the greatest number. Sharing unseats too much, never too
 * little; so nothing is ever forgotten, and nothing ever has to be emptied.
 *
 * Recent means two generations: when the younger is full, the older is folded and the younger takes its place.
 */
export class TagRecord {
  private young = new Map<string, number>();
  private old = new Map<string, number>();
  private readonly generation: number;
  private table: Float64Array | null = null;

  constructor(generation = GENERATION) {
    this.generation = generation;
  }

  /** Numbers grow from call to call, as a rule; one that comes late lowers nothing. */
  set(tag: string, number: number): void {
    const name = boundedText(tag);
    if (this.find(name) > number) return;
    this.young.set(ownText(name), number);
    if (this.young.size >= this.generation) this.turnOver();
  }

  /** The number of the tag's last invalidation, or a greater one; 0 where it never had any. */
  get(tag: string): number {
    return this.find(boundedText(tag));
  }

  private find(name: string): number {
    const exact = this.young.get(name) ?? this.old.get(name);
    if (exact !== undefined) return exact;
    return this.table === null ? 0 : this.table[slotOf(name)]!;
  }

  private turnOver(): void {
    if (this.old.size > 0) this.fold(this.old);
    this.old = this.young;
    this.young = new Map();
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
