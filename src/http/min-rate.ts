/** Window over which a rate is judged. */
const WINDOW = 10_000;
/** There was nothing to do for so long, in ms: then it is judged anew. */
const REST = 1000;

/** How often whoever must keep one up is looked at, where nothing else tells that time goes by, in ms. */
export const LOOK_AT_RATE = WINDOW / 2;

/** Whose `limits` may be others tomorrow. */
export interface RateBound {
  /** `minRate`: bytes a second; 0: any rate will do. */
  readonly limits: { readonly minRate: number };
}

/** Does a sender, or a receiver, keep up a least rate, judged over 10 s at a time? */
export class MinRate {
  private readonly bound: RateBound;
  private since = 0;
  private before = 0;
  private restedFrom: number | null = null;

  constructor(bound: RateBound) {
    this.bound = bound;
  }

  get isAny(): boolean {
    return this.bound.limits.minRate === 0;
  }

  /** Judges anew, from the next bytes on. */
  begin(): void {
    this.since = 0;
  }

  /** There is nothing to do for it: until there is, the time is not its own. */
  rest(now: number): void {
    this.restedFrom ??= now;
  }

  /** @param received All bytes so far. */
  tooSlow(now: number, received: number): boolean {
    if (this.isAny) return false;
    if (this.restedFrom !== null && now - this.restedFrom > REST) this.begin();
    this.restedFrom = null;
    if (this.since === 0) {
      this.since = now;
      this.before = received;
      return false;
    }
    const time = now - this.since;
    if (time < WINDOW) return false;
    const slow = (received - this.before) * 1000 < this.bound.limits.minRate * time;
    this.since = now;
    this.before = received;
    return slow;
  }
}
