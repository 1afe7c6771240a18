/** An entry that was answered from so many times within so many ms is one that is asked for often. */
const OFTEN = { times: 3, within: 60_000 } as const;

/** When an entry was last answered from: as many times as it takes to be asked for often. `clock.now()`. */
export class Asks {
  private readonly times = new Array<number>(OFTEN.times).fill(Number.NEGATIVE_INFINITY);
  private oldest = 0;
  /** From when on it is worth keeping a request by which it can be filled again. */
  keepFrom = Number.NEGATIVE_INFINITY;

  add(now: number): void {
    this.times[this.oldest] = now;
    this.oldest = (this.oldest + 1) % OFTEN.times;
  }

  /** Until then it is asked for often, though nobody asks any more. */
  get oftenUntil(): number {
    return this.times[this.oldest]! + OFTEN.within;
  }
}
