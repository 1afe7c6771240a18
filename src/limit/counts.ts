/** Keys that one limit keeps apart. */
export const MOST_KEYS = 100_000;
/** Looked at for an idle one, each time that a new key finds no room. */
const LOOKED_AT = 64;
/** Whoever comes new when all are busy shares one place with all others that do. */
const SHARED = '\0others';

/** By key, until when it is busy (see `gcra.ts`). Bounded, whatever clients send. */
export class Counts {
  private readonly until = new Map<string, number>();
  private cursor: Iterator<[string, number]> | null = null;

  get size(): number {
    return this.until.size;
  }

  /** The place of a key: its own, or the one that is shared where there is no room. */
  placeOf(key: string, now: number): string {
    if (this.until.has(key) || this.until.size < MOST_KEYS || this.makeRoom(now)) return key;
    return SHARED;
  }

  get(place: string): number {
    return this.until.get(place) ?? 0;
  }

  set(place: string, until: number): void {
    this.until.set(place, until);
  }

  /** What is idle is as good as never seen. */
  private makeRoom(now: number): boolean {
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
      found = true;
    }
    return found;
  }
}
