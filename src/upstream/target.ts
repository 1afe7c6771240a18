import type { HealthConfig } from '../config/model.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { Pool } from './pool/index.ts';

/** Told when a target goes out or comes back. `forMs`: how long it stays out; null where nobody knows. */
export interface TargetListener {
  out(target: TargetState, why: string, forMs: number | null): void;
  in(target: TargetState): void;
}

export interface TargetIdentity {
  /** For people, without credentials: `http://host:port/path`, or `unix:/path`. */
  readonly name: string;
  /** Of all that it is reached by: workers that know it by the same know the same target. */
  readonly settings: string;
}

/** A target that comes back gets its full share only after this, in ms. */
const WARM_UP = 10_000;
/** The least share while it warms up. */
const COLD = 0.1;
const LONGEST_OUT = 300_000;

/**
 * What is known of one target: whether it is in, and why not. It outlives reloads that leave the target
 * alone. Errors in a row take it out, for longer each time; active checks take it out until they succeed.
 */
export class TargetState {
  readonly name: string;
  readonly settings: string;
  readonly pool: Pool;
  private readonly clock: Clock;
  private readonly listener: TargetListener;
  private passive: HealthConfig['passive'] = null;
  /** What the active checks say. */
  private up = true;
  private drained_ = false;
  private errors = 0;
  private ejections = 0;
  private ejectedUntil = 0;
  private warmFrom = Number.NEGATIVE_INFINITY;
  private timer: Timer | null = null;
  requests = 0;
  failures = 0;
  retries = 0;
  /** `at`: milliseconds since 1970. */
  lastFailure: { at: number; message: string } | null = null;

  constructor({ name, settings }: TargetIdentity, pool: Pool, clock: Clock, listener: TargetListener) {
    this.name = name;
    this.settings = settings;
    this.pool = pool;
    this.clock = clock;
    this.listener = listener;
  }

  configure({ passive, active }: HealthConfig): void {
    this.passive = passive;
    // What nobody checks any more can't be held against it.
    if (active === null) this.check(true, 'no longer checked');
    if (passive === null && this.ejectedUntil > 0) this.returnNow();
  }

  /** Neither out nor warming up: nothing about it needs a second look. */
  get settled(): boolean {
    return this.isWell && !this.drained_ && !this.isWarming();
  }

  get isIn(): boolean {
    return this.isWell && !this.drained_;
  }

  /** An operator has taken it out: whatever its health, no new request goes there. */
  get drained(): boolean {
    return this.drained_;
  }

  private get isWell(): boolean {
    return this.up && this.ejectedUntil === 0;
  }

  get health(): 'up' | 'down' | 'ejected' | 'warming' {
    if (!this.up) return 'down';
    if (this.ejectedUntil > 0) return 'ejected';
    return this.isWarming() ? 'warming' : 'up';
  }

  /** Milliseconds until it may be in again; Infinity where only a check can tell. */
  get outFor(): number {
    if (!this.up || this.drained_) return Number.POSITIVE_INFINITY;
    return this.ejectedUntil === 0 ? 0 : Math.max(0, this.ejectedUntil - this.clock.now());
  }

  /** The share of its weight that it gets now. */
  share(): number {
    return this.isWarming() ? Math.max(COLD, (this.clock.now() - this.warmFrom) / WARM_UP) : 1;
  }

  private isWarming(): boolean {
    if (this.warmFrom === Number.NEGATIVE_INFINITY) return false;
    if (this.clock.now() - this.warmFrom < WARM_UP) return true;
    // From now on nobody need ask for the time.
    this.warmFrom = Number.NEGATIVE_INFINITY;
    return false;
  }

  succeeded(): void {
    this.errors = 0;
    if (this.ejections > 0 && this.settled) this.ejections = 0;
  }

  /** A try failed in a way that speaks against the target. */
  failed(message: string): void {
    this.note(message);
    this.errors++;
    if (this.passive === null || this.errors < this.passive.errors || !this.isWell) return;
    const forMs = Math.min(
      this.passive.openFor * 2 ** this.ejections,
      Math.max(LONGEST_OUT, this.passive.openFor),
    );
    this.eject(forMs, `${this.errors} errors in a row, the last: ${message}`);
  }

  note(message: string): void {
    this.failures++;
    this.lastFailure = { at: this.clock.wall(), message };
  }

  /** Takes it out for a while, on its own finding or another worker's. */
  eject(forMs: number, why: string): void {
    const until = this.clock.now() + forMs;
    if (this.passive === null || until <= this.ejectedUntil) return;
    const wasWell = this.isWell;
    // Whoever found it out: it is out for the node, and the next time for longer.
    if (this.ejectedUntil === 0) this.ejections++;
    this.ejectedUntil = until;
    this.warmFrom = Number.NEGATIVE_INFINITY;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = this.clock.after(forMs, () => this.returnNow());
    if (wasWell) this.listener.out(this, why, forMs);
  }

  /** What the active checks found. */
  check(up: boolean, why: string): void {
    if (up === this.up) return;
    const wasWell = this.isWell;
    this.up = up;
    if (up) {
      this.errors = 0;
      if (this.ejectedUntil > 0) return this.returnNow();
      this.comeBack();
    } else if (wasWell) {
      this.note(why);
      this.listener.out(this, why, null);
    }
  }

  /** What is under way goes on; of its connections none is kept meanwhile. */
  drain(drained: boolean): void {
    if (drained === this.drained_) return;
    this.drained_ = drained;
    if (drained) this.pool.retire();
    else this.pool.revive();
  }

  /** No config has it any more. */
  retire(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.pool.retire();
  }

  private returnNow(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.ejectedUntil = 0;
    // One more error is enough to take it out again.
    if (this.passive !== null) this.errors = this.passive.errors - 1;
    if (this.up) this.comeBack();
  }

  private comeBack(): void {
    this.warmFrom = this.clock.now();
    this.listener.in(this);
  }
}
