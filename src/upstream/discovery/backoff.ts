import type { Random } from '../../util/random.ts';

const FIRST = 1_000;
const LONGEST = 16_000;

/** Pauses in ms, longer with each failure in a row, each up to half as long again: not all workers and nodes at once. */
export class Backoff {
  private readonly random: Random;
  private failures = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** After a failure. */
  next(): number {
    return this.spread(Math.min(FIRST * 2 ** this.failures++, LONGEST));
  }

  /** Where nothing has failed. */
  shortest(): number {
    return this.spread(FIRST);
  }

  reset(): void {
    this.failures = 0;
  }

  private spread(pause: number): number {
    return pause * (1 + this.random.number() / 2);
  }
}
