import { hash } from 'node:crypto';
import type { Clock } from '../util/clock.ts';
import { Counts, type KeyBudget } from './counts.ts';
import { type Allowance, intervalOf, judge, type Verdict } from './gcra.ts';
import type { SharedCounts } from './shared-counts.ts';

/**
 * The counts of one limit in one worker. Where nodes share a Redis they take their requests from there, some at a time,
 * and so does each worker; without it each worker has its part of the node's.
 */
export class LimitCounts {
  private readonly name: string;
  private readonly clock: Clock;
  private readonly shareOf: number;
  /** What this worker knows of each key. */
  readonly counts: Counts;
  private readonly shared: () => SharedCounts | null;

  /**
   * @param name Names it among all limits, on every node alike.
   * @param shareOf Workers of the node.
   */
  constructor(
    name: string,
    clock: Clock,
    shareOf: number,
    budget: KeyBudget,
    shared: () => SharedCounts | null,
  ) {
    this.counts = new Counts(budget);
    this.name = name;
    this.clock = clock;
    this.shareOf = shareOf;
    this.shared = shared;
  }

  /** Takes a request of this key, if it is allowed. A promise only where Redis has to be asked. */
  take(key: string, allowance: Allowance): Verdict | Promise<Verdict> {
    const place = this.counts.placeOf(compact(key), this.clock.now());
    const shared = this.shared();
    if (shared === null || !shared.connected) return this.here(place, allowance);
    const known = shared.take(this.sharedKey(place), allowance);
    if (!(known instanceof Promise)) return this.noted(place, known);
    // Who can't be asked in time is not waited for again: this worker goes by its own counts.
    return known.then((verdict) =>
      verdict === null ? this.here(place, allowance) : this.noted(place, verdict),
    );
  }

  /** One that was taken is not used after all. */
  giveBack(key: string, allowance: Allowance): void {
    const now = this.clock.now();
    const place = this.counts.placeOf(compact(key), now);
    if (this.shared()?.giveBack(this.sharedKey(place)) === true) return;
    const until = this.counts.get(place);
    if (until > now) this.counts.set(place, until - intervalOf(this.partOf(allowance)));
  }

  /** What Redis says holds here too: as the bound on keys, and for the time that Redis may be away. */
  private noted(place: string, verdict: Verdict): Verdict {
    this.counts.set(place, this.clock.now() + verdict.full);
    return verdict;
  }

  private here(place: string, allowance: Allowance): Verdict {
    const part = this.partOf(allowance);
    const now = this.clock.now();
    const until = this.counts.get(place);
    const verdict = judge(until, now, part);
    if (verdict.allowed) this.counts.set(place, Math.max(until, now) + intervalOf(part));
    return verdict;
  }

  private sharedKey(key: string): string {
    return `${this.name} ${key}`;
  }

  private partOf(allowance: Allowance): Allowance {
    const { shareOf } = this;
    if (shareOf === 1) return allowance;
    const { count, per, burst } = allowance;
    return { count: count / shareOf, per, burst: Math.max(1, burst / shareOf) };
  }
}

/** Longer keys are kept by their hash: a hundred thousand of them take a few megabytes, whatever clients send. */
const LONGEST = 48;

function compact(key: string): string {
  return key.length <= LONGEST ? key : `#${hash('sha256', key, 'base64url').slice(0, 27)}`;
}
