/** Window over which a rate is judged. */
const WINDOW = 10_000;
/** There was nothing to do for so long, in ms: then it is judged anew. */
const REST = 1000;

/** How often whoever must keep one up is looked at, where nothing else tells that time goes by, in ms. */
export const LOOK_AT_RATE = WINDOW / 2;

/** Does a sender, or a receiver, keep up a least rate, judged over 10 s at a time? */
export class MinRate {
  private readonly least: number;
  private since = 0;
  private before = 0;
  private restedFrom: number | null = null;

  /** @param least Bytes a second; 0: any rate will do. */
  constructor(least: number) {
    this.least = least;
  }

  get isAny(): boolean {
    return this.least === 0;
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
    const slow = (received - this.before) * 1000 < this.least * time;
    this.since = now;
    this.before = received;
    return slow;
  }
}
