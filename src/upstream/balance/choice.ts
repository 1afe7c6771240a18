/** What may be chosen now, and what speaks for it. */
export interface Choice<T> {
  /** May it be taken: in, and not tried yet? */
  fits(target: T): boolean;
  /** Its weight now: lower while it warms up; 0 for never. */
  weight(target: T): number;
  /** Requests that are under way to it, or wait for it. */
  load(target: T): number;
}

export interface Balancer<T> {
  /**
   * The next target; null where none fits.
   *
   * @param key What affinity goes by, where the balancer has any; null for none.
   */
  pick(choice: Choice<T>, key: string | null): T | null;
}
