import type { Clock, Timer } from '../util/clock.ts';

/** The waits of one source, which its stop cuts short. */
export class Pauses {
  stopped = false;
  private readonly clock: Clock;
  private readonly waiting = new Map<Timer, () => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Resolves after `ms`, or at the stop. */
  async wait(ms: number): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = this.clock.after(ms, () => {
        this.waiting.delete(timer);
        resolve();
      });
      this.waiting.set(timer, resolve);
    });
  }

  stop(): void {
    this.stopped = true;
    for (const [timer, resolve] of this.waiting) {
      this.clock.cancel(timer);
      resolve();
    }
    this.waiting.clear();
  }
}
