/** Finds out whether bytes stand still: looks a few times an idle limit, which is cheaper than noting each. */
export class Movement {
  private at = 0;
  private traffic = 0;

  /** Begins to look. Gives back when to look again. */
  begin(now: number, traffic: number, idle: number): number {
    this.at = now;
    this.traffic = traffic;
    return now + idle / 4;
  }

  /**
   * When to look again; null: nothing has moved for `idle` ms.
   *
   * @param traffic Bytes that have moved so far.
   * @param excused That they stand still now is not the fault of the one who is watched.
   */
  look(now: number, traffic: number, excused: boolean, idle: number): number | null {
    if (traffic !== this.traffic || excused) {
      this.traffic = traffic;
      this.at = now;
    }
    if (now - this.at >= idle) return null;
    return Math.max(now + 1, Math.min(now + idle / 4, this.at + idle));
  }
}
