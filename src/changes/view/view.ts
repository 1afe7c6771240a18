import type { ChangeSourceConfig } from '../../config/model.ts';
import type { Clock } from '../../util/clock.ts';
import { mappingHash } from '../mapping/index.ts';
import type { SourceNews } from '../news.ts';
import { ChangeLens, type PositionWait } from './lens.ts';

interface Waiter {
  readonly isReached: () => boolean;
  readonly done: (outcome: 'reached' | 'behind') => void;
  readonly timer: object;
}

interface Settling {
  readonly tags: ReadonlySet<string>;
  /** Whoever was to say that it is over has died: `clock.now()`. */
  readonly until: number;
}

/** What was heard, and when all that there was had been applied (`clock.now()`); null: that isn't known. */
export interface Heard extends SourceNews {
  readonly freshAt: number | null;
}

/** Of a change that settles: whoever has not said by then that it is over has died; ms. */
const LONGEST_SETTLING = 10 * 60_000;

/**
 * Names the mappings of a config: an entry that was made under another is a miss. It stands in the keys of what is
 * cached. Empty where there is no source.
 */
export function mappingStamp(configs: Readonly<Record<string, ChangeSourceConfig>>): string {
  return Object.values(configs)
    .map((config) => `${config.name}=${mappingHash(config)}`)
    .join(' ');
}

/** What a worker knows of the change sources. It outlives reloads; a config looks at it through a lens. */
export class ChangeView {
  /** Grows with all that is heard. */
  version = 0;
  private readonly clock: Clock;
  private readonly heard = new Map<string, Heard>();
  /** Changes that origins may not show yet. */
  private readonly settling = new Map<string, Settling>();
  private readonly waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Null where there is no source. Until it is heard of, a source counts as one that is not followed. */
  lens(configs: Readonly<Record<string, ChangeSourceConfig>>): ChangeLens | null {
    return Object.keys(configs).length === 0 ? null : new ChangeLens(this, configs);
  }

  hear(news: readonly SourceNews[]): void {
    for (const told of news) {
      for (const { id, tags } of told.settling ?? [])
        this.settling.set(id, { tags: new Set(tags), until: this.clock.now() + LONGEST_SETTLING });
      for (const id of told.settled ?? []) this.settling.delete(id);
      const known = this.heard.get(told.name);
      if (known !== undefined && told.number < known.number) continue;
      const freshAt = told.age === null ? null : this.clock.now() - told.age;
      this.heard.set(told.name, { ...told, freshAt });
    }
    this.version++;
    this.recheck();
  }

  /** Whether those that wait still have to. */
  recheck(): void {
    for (const waiter of this.waiters) if (waiter.isReached()) this.end(waiter, 'reached');
  }

  /** The newest that was heard of a source. */
  heardOf(source: string): Heard | undefined {
    return this.heard.get(source);
  }

  now(): number {
    return this.clock.now();
  }

  /** An origin may still show what one of these tags stood for before a change. */
  isSettling(tags: readonly string[]): boolean {
    for (const [id, touched] of this.settling) {
      if (this.clock.now() > touched.until) this.settling.delete(id);
      else if (tags.some((tag) => touched.tags.has(tag))) return true;
    }
    return false;
  }

  /** Calls `done` when it is reached, or, `behind`, after `ms`. */
  wait(isReached: () => boolean, ms: number, done: (outcome: 'reached' | 'behind') => void): PositionWait {
    const waiter: Waiter = {
      isReached,
      done,
      timer: this.clock.after(ms, () => this.end(waiter, 'behind')),
    };
    this.waiters.add(waiter);
    return { cancel: () => this.end(waiter, null) };
  }

  private end(waiter: Waiter, outcome: 'reached' | 'behind' | null): void {
    if (!this.waiters.delete(waiter)) return;
    this.clock.cancel(waiter.timer);
    if (outcome !== null) waiter.done(outcome);
  }
}
