import { RecentKeys } from '../../util/recent-keys.ts';

/** Keys remembered in each of two generations. */
const GENERATION = 16_384;
/** How long a key counts as one whose answers can't be stored, in ms. */
const REMEMBERED = 60_000;

/**
 * Keys whose last answer could not be stored: requests for them are not made to wait for each other, since the
 * answer to one is no answer to the next. An answer that can be stored after all ends it.
 */
export class Passes {
  private readonly until = new RecentKeys<number>(GENERATION);

  add(key: string, now: number): void {
    this.until.set(key, now + REMEMBERED);
  }

  has(key: string, now: number): boolean {
    if (this.until.empty) return false;
    const until = this.until.get(key);
    return until !== undefined && now < until;
  }

  delete(key: string): void {
    this.until.delete(key);
  }
}
