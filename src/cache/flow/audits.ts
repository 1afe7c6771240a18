import type { Clock, Timer } from '../../util/clock.ts';

/** Audits under way at once in a worker, those that wait for a change among them; more hits are not looked into. */
const MOST = 20;

/** The audits of a worker: how many there may be, and the timers by which they wait. */
export class Audits {
  private readonly clock: Clock;
  private readonly timers = new Set<Timer>();
  private underWay = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** May one more begin? Then exactly one `end` follows. */
  begin(): boolean {
    if (this.underWay >= MOST) return false;
    this.underWay++;
    return true;
  }

  end(): void {
    this.underWay--;
  }

  later(ms: number, run: () => void): void {
    const timer = this.clock.after(ms, () => {
      this.timers.delete(timer);
      run();
    });
    this.timers.add(timer);
  }

  /** What still waits is not told any more. */
  close(): void {
    for (const timer of this.timers) this.clock.cancel(timer);
    this.timers.clear();
  }
}
