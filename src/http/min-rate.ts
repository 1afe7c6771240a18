/** Window over which a rate is judged. */
const WINDOW = 10_000;

/** Does a sender keep up a least rate, judged over 10 s at a time? */
export class MinRate {
  private readonly least: number;
  private since = 0;
  private before = 0;

  /** @param least Bytes a second; 0: any rate will do. */
  constructor(least: number) {
    this.least = least;
  }

  /** Judges anew, from the next bytes on. */
  begin(): void {
    this.since = 0;
  }

  /** @param received All bytes so far. */
  tooSlow(now: number, received: number): boolean {
    if (this.least === 0) return false;
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
