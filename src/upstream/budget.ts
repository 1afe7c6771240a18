/** Seconds over which the retries of a service are held against its requests. */
const WINDOW = 10;
/** A quiet service may always be retried a little. */
const LEAST = 3;

/**
 * Keeps retries from multiplying the load on a service that fails for everyone: over the last 10 s there are
 * no more of them than a share of the requests, and at least three.
 */
export class RetryBudget {
  private readonly requests = new Float64Array(WINDOW);
  private readonly retries = new Float64Array(WINDOW);
  private second = 0;

  /** A request came; `now` in ms, as of the clock. */
  request(now: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.second) this.advance(second);
    this.requests[second % WINDOW]!++;
  }

  /** Takes a retry from the budget; false where none is left. */
  take(now: number, share: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.second) this.advance(second);
    if (sum(this.retries) + 1 > Math.max(LEAST, sum(this.requests) * share)) return false;
    this.retries[second % WINDOW]!++;
    return true;
  }

  /** Forgets the seconds that have left the window. */
  private advance(second: number): void {
    const gone = Math.min(second - this.second, WINDOW);
    for (let i = 1; i <= gone; i++) {
      const slot = (this.second + i) % WINDOW;
      this.requests[slot] = 0;
      this.retries[slot] = 0;
    }
    if (gone === WINDOW) {
      this.requests.fill(0);
      this.retries.fill(0);
    }
    this.second = second;
  }
}

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
