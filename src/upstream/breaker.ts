import type { BreakerConfig } from '../config/model.ts';
import type { Clock } from '../util/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerListener {
  /** It has changed its state. */
  changed(state: BreakerState, why: string): void;
  /** An error that counts toward `errors`, also at the other workers of the node. */
  failed(): void;
}

const RATE_WINDOW = 10_000;
/** Below this many requests in the window a rate says nothing. */
const RATE_LEAST = 20;
const SLOTS = 10;

/**
 * Gives a failing service a pause: too many errors open it, then nothing is sent for `openFor`, then one
 * request goes ahead as a probe. Its success closes the breaker, its failure opens it again.
 */
export class Breaker {
  private readonly config: Pick<BreakerConfig, 'errorRate' | 'errors' | 'openFor'>;
  private readonly clock: Clock;
  private readonly listener: BreakerListener;
  private readonly rate: Window | null;
  private readonly count: Window | null;
  private state_: BreakerState = 'closed';
  private openUntil = 0;
  private probeSince: number | null = null;
  private turn_ = 0;

  constructor(
    config: Pick<BreakerConfig, 'errorRate' | 'errors' | 'openFor'>,
    clock: Clock,
    listener: BreakerListener,
  ) {
    this.config = config;
    this.clock = clock;
    this.listener = listener;
    this.rate = config.errorRate === null ? null : new Window(RATE_WINDOW);
    this.count = config.errors === null ? null : new Window(config.errors.window);
  }

  get state(): BreakerState {
    return this.state_;
  }

  /** Another one with each change, and each probe: what was let ahead in an earlier turn says nothing of this one. */
  get turn(): number {
    return this.turn_;
  }

  /** Nothing can ever open it. */
  get off(): boolean {
    return this.rate === null && this.count === null;
  }

  /**
   * May a request go ahead? 0: yes. Else the milliseconds until one may. A request that goes ahead while the
   * breaker is half open is the probe: `record`, or `withdraw`, must follow.
   */
  admit(): number {
    if (this.state_ === 'closed') return 0;
    const now = this.clock.now();
    if (now < this.openUntil) return this.openUntil - now;
    // A probe whose outcome never came must not keep the service shut for good.
    if (this.probeSince !== null && now - this.probeSince < this.config.openFor)
      return this.config.openFor - (now - this.probeSince);
    if (this.state_ === 'open') this.change('half-open', 'one request may try');
    else this.turn_++;
    this.probeSince = now;
    return 0;
  }

  /** The probe came to nothing that says anything: its client left. The next request may be the probe. */
  withdraw(turn = this.turn_): void {
    if (turn === this.turn_) this.probeSince = null;
  }

  /** @param turn Of when the request was let ahead. */
  record(failed: boolean, turn = this.turn_): void {
    if (turn !== this.turn_) return;
    if (this.state_ === 'half-open') {
      this.probeSince = null;
      if (failed) this.open('the probe failed');
      else this.close('the probe succeeded');
      return;
    }
    if (this.state_ === 'open') return;
    const now = this.clock.now();
    this.rate?.add(now, failed);
    if (!failed) {
      if (this.config.errors?.inARow === true) this.count!.clear();
      return;
    }
    if (this.count !== null) {
      this.count.add(now, true);
      this.listener.failed();
    }
    this.judge(now);
  }

  /** Another worker of the node had an error. */
  recordElsewhere(): void {
    if (this.state_ !== 'closed' || this.count === null) return;
    const now = this.clock.now();
    this.count.add(now, true);
    this.judge(now);
  }

  /** The breaker of another worker of the node has changed, so many ms ago: a node has one pause, and one probe after it. */
  follow(state: BreakerState, why: string, ago = 0): void {
    if (this.off || state === this.state_) return;
    if (state === 'open') return this.open(why, ago);
    if (state === 'closed') return this.close(why);
    this.probeSince = this.clock.now() - ago;
    this.change('half-open', why);
  }

  private judge(now: number): void {
    const { errors, errorRate } = this.config;
    if (errors !== null && this.count!.failures(now) >= errors.count) {
      return this.open(`${errors.count} errors in ${errors.window / 1000} s`);
    }
    if (errorRate === null) return;
    const all = this.rate!.total(now);
    const failures = this.rate!.failures(now);
    if (all >= RATE_LEAST && failures / all >= errorRate)
      this.open(`${failures} of ${all} requests in 10 s failed`);
  }

  private open(why: string, ago = 0): void {
    this.openUntil = this.clock.now() - ago + this.config.openFor;
    this.probeSince = null;
    this.change('open', why);
  }

  private close(why: string): void {
    this.probeSince = null;
    this.rate?.clear();
    this.count?.clear();
    this.change('closed', why);
  }

  private change(state: BreakerState, why: string): void {
    this.state_ = state;
    this.turn_++;
    this.listener.changed(state, why);
  }
}

/** Counts over a sliding time, in ten slots. */
class Window {
  private readonly slot: number;
  private readonly all = new Float64Array(SLOTS);
  private readonly failed = new Float64Array(SLOTS);
  private current = 0;

  constructor(length: number) {
    this.slot = length / SLOTS;
  }

  add(now: number, failed: boolean): void {
    this.advance(now);
    this.all[this.current % SLOTS]!++;
    if (failed) this.failed[this.current % SLOTS]!++;
  }

  total(now: number): number {
    this.advance(now);
    return this.all.reduce((sum, count) => sum + count, 0);
  }

  failures(now: number): number {
    this.advance(now);
    return this.failed.reduce((sum, count) => sum + count, 0);
  }

  clear(): void {
    this.all.fill(0);
    this.failed.fill(0);
  }

  private advance(now: number): void {
    const slot = Math.floor(now / this.slot);
    for (let i = Math.max(this.current + 1, slot - SLOTS + 1); i <= slot; i++) {
      this.all[i % SLOTS] = 0;
      this.failed[i % SLOTS] = 0;
    }
    this.current = Math.max(this.current, slot);
  }
}
