import type { Logger } from '../../telemetry/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';

export interface RoundParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** How far the log of the database goes now. Rejects where it can't be told. */
  ask(): Promise<string>;
  /** It did not answer a moment ago. */
  isResting(): boolean;
  /** Tells workers and nodes. True where all could be told; never rejects. */
  tell(keys: readonly string[], position: string | null): Promise<boolean>;
}

/** How often what could not be found out, or told, is tried again; ms. */
const AGAIN = 500;
/** Clients of which that is remembered. */
const MOST = 10_000;

/**
 * Finds out, for clients that have written, what the database has reached by then, and tells it. One question serves
 * all who came before it was asked: a round at a time, so what is told of a client last is also the latest.
 */
export class WriteRounds {
  private readonly parts: RoundParts;
  private pending = new Map<string, (() => void)[]>();
  /** Of these not all is known yet, or not by all. */
  private readonly again = new Set<string>();
  private running: Promise<void> | null = null;
  private timer: Timer | null = null;
  private failing = false;
  private stopped = false;

  constructor(parts: RoundParts) {
    this.parts = parts;
  }

  /** Resolves once all know that this client has written, and, where it can be found out, up to where. */
  wrote(key: string): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.pending.get(key);
      if (waiting === undefined) this.pending.set(key, [resolve]);
      else waiting.push(resolve);
      this.running ??= this.run();
    });
  }

  /** Resolves with the clients of which not all is known yet, or not by all. */
  async stop(): Promise<readonly string[]> {
    this.stopped = true;
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    await this.running;
    return [...this.again];
  }

  private async run(): Promise<void> {
    while (this.pending.size > 0) {
      const round = this.pending;
      this.pending = new Map();
      await this.round([...round.keys()]);
      for (const waiting of round.values()) for (const resolve of waiting) resolve();
    }
    this.running = null;
    this.later();
  }

  private async round(keys: readonly string[]): Promise<void> {
    const position = await this.position();
    const isTold = await this.parts.tell(keys, position);
    for (const key of keys)
      if (position !== null && isTold) this.again.delete(key);
      else if (this.again.size < MOST) this.again.add(key);
  }

  private async position(): Promise<string | null> {
    if (this.failing && this.parts.isResting()) return null;
    try {
      const position = await this.parts.ask();
      if (this.failing) this.parts.log.info('the database tells again what it has reached');
      this.failing = false;
      return position;
    } catch (error) {
      const { message: reason } = error as Error;
      if (!this.failing && !this.stopped)
        this.parts.log.warn(
          'the database does not tell what it has reached: whoever writes reads past the cache for now',
          { reason },
        );
      this.failing = true;
      return null;
    }
  }

  private later(): void {
    if (this.stopped || this.again.size === 0 || this.timer !== null) return;
    this.timer = this.parts.clock.after(AGAIN, () => {
      this.timer = null;
      for (const key of this.again) if (!this.pending.has(key)) this.pending.set(key, []);
      this.running ??= this.run();
    });
  }
}
