/** Names that are remembered: at 1,500 a second all those of a minute. */
const MOST = 100_000;

/** Names that count once, until they count no more. */
export class SeenNames {
  /** Until when each counts, in the order in which they came. */
  private readonly until = new Map<string, number>();

  /** True the first time. `now`, `until`: ms since 1970. */
  isNew(name: string, until: number, now: number): boolean {
    const known = this.until.get(name);
    if (known !== undefined && known >= now) return false;
    this.makeRoom(now);
    this.until.delete(name);
    this.until.set(name, until);
    return true;
  }

  get size(): number {
    return this.until.size;
  }

  /** What counts no more goes; where all still count, the oldest. */
  private makeRoom(now: number): void {
    for (const [name, until] of this.until) {
      if (until >= now && this.until.size < MOST) return;
      this.until.delete(name);
    }
  }
}
