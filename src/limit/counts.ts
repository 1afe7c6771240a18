import { ownText } from '../util/own-text.ts';

/** Keys that one limit keeps apart. */
export const MOST_KEYS = 100_000;
/** Keys that all limits of a worker keep together: some 40 MiB. */
export const MOST_IN_ALL = 300_000;
/** Looked at for an idle one, each time that a new key finds no room. */
const LOOKED_AT = 64;
/** Whoever comes new when all are busy shares one place with all others that do. */
const SHARED = '\0others';

/** By key, until when it is busy (see `gcra.ts`). Bounded, whatever clients send. */
export class Counts {
  private readonly until = new Map<string, number>();
  private readonly budget: KeyBudget;
  private cursor: Iterator<[string, number]> | null = null;

  constructor(budget: KeyBudget) {
    this.budget = budget;
  }

  get size(): number {
    return this.until.size;
  }

  /** The place of a key: its own, or the one that is shared where there is no room. */
  placeOf(key: string, now: number): string {
    if (this.until.has(key)) return key;
    const hasRoom = this.until.size >= MOST_KEYS ? this.sweep(now) : this.budget.hasRoom(now);
    return hasRoom ? ownText(key) : SHARED;
  }

  get(place: string): number {
    return this.until.get(place) ?? 0;
  }

  set(place: string, until: number): void {
    const before = this.until.size;
    this.until.set(place, until);
    if (this.until.size > before) this.budget.took();
  }

  /** Looks at some, and lets go of those that are idle: they are as good as never seen. False: none was. */
  sweep(now: number): boolean {
    let found = false;
    for (let i = 0; i < LOOKED_AT; i++) {
      this.cursor ??= this.until.entries();
      const { value, done } = this.cursor.next();
      if (done === true) {
        this.cursor = null;
        continue;
      }
      const [key, until] = value;
      if (until > now || key === SHARED) continue;
      this.until.delete(key);
      this.budget.gave();
      found = true;
    }
    return found;
  }
}

/** What all limits of a worker may keep together: many limits are flooded as easily as one. */
export class KeyBudget {
  private left = MOST_IN_ALL;
  private all: readonly Counts[] = [];
  private next = 0;

  /** These share it from now on; what others held is free. */
  share(all: readonly Counts[]): void {
    this.all = all;
    this.left = MOST_IN_ALL - all.reduce((sum, { size }) => sum + size, 0);
  }

  hasRoom(now: number): boolean {
    if (this.left > 0) return true;
    if (this.all.length === 0) return false;
    this.next = (this.next + 1) % this.all.length;
    return this.all[this.next]!.sweep(now);
  }

  took(): void {
    this.left--;
  }

  gave(): void {
    this.left++;
  }
}
