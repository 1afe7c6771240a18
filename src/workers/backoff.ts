/** Deaths within this time count together. */
const WINDOW = 10_000;
const FREE = 4;
const FIRST = 1000;
const LONGEST = 30_000;

/**
 * How long to wait before a dead worker is replaced: not at all for the first four deaths in ten seconds,
 * then 1 s, doubling to 30 s, without end.
 */
export class Backoff {
  private deaths: number[] = [];
  private streak = 0;
  private lastWait = 0;

  /** A worker died at `now`, milliseconds of any clock that only goes on. */
  wait(now: number): number {
    const since = now - WINDOW - this.lastWait;
    this.deaths = this.deaths.filter((at) => at > since);
    this.deaths.push(now);
    if (this.deaths.length <= FREE) {
      this.streak = 0;
      this.lastWait = 0;
      return 0;
    }
    this.deaths = this.deaths.slice(-FREE - 1);
    this.lastWait = Math.min(LONGEST, FIRST * 2 ** this.streak++);
    return this.lastWait;
  }
}
