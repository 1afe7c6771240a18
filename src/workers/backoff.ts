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
  private lastDeath = Number.NEGATIVE_INFINITY;
  private lastWait = 0;

  /** A worker died at `now`, milliseconds of any clock that only goes on. */
  wait(now: number): number {
    this.streak = this.goesOn(now) ? this.streak + 1 : 0;
    this.lastDeath = now;
    this.lastWait = this.streak === 0 ? 0 : Math.min(LONGEST, FIRST * 2 ** (this.streak - 1));
    return this.lastWait;
  }

  /** Once it waits, a successor has to live ten seconds to end that; before, deaths in the window count. */
  private goesOn(now: number): boolean {
    const since = now - WINDOW;
    if (this.streak > 0 && this.lastDeath + this.lastWait > since) return true;
    this.deaths = [...this.deaths.filter((at) => at > since), now];
    return this.deaths.length > FREE;
  }
}
