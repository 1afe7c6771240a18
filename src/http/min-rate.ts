/** Window over which a rate is judged. */
const WINDOW = 10_000;

/** Whose `limits` may be others tomorrow. */
export interface RateBound {
  /** `minRate`: bytes a second; 0: any rate will do. */
  readonly limits: { readonly minRate: number };
}

/** Does a sender keep up a least rate, judged over 10 s at a time? */
export class MinRate {
  private readonly bound: RateBound;
  private since = 0;
  private before = 0;

  constructor(bound: RateBound) {
    this.bound = bound;
  }

  /** Judges anew, from the next bytes on. */
  begin(): void {
    this.since = 0;
  }

  /** @param received All bytes so far. */
  tooSlow(now: number, received: number): boolean {
    const least = this.bound.limits.minRate;
    if (least === 0) {
      this.begin();
      return false;
    }
    if (this.since === 0) {
      this.since = now;
      this.before = received;
      return false;
    }
    const time = now - this.since;
    if (time < WINDOW) return false;
    const slow = (received - this.before) * 1000 < least * time;
    this.since = now;
    this.before = received;
    return slow;
  }
}
