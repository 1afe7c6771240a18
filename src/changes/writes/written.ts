import type { Clock } from '../../util/clock.ts';
import { REMEMBERED, type WriteNote } from './note.ts';

/** Clients of one source that are told apart; beyond, all wait for what the last of them has written. */
const MOST = 50_000;

interface Remembered {
  /** Null: not known yet. */
  readonly position: string | null;
  /** `clock.now()`. */
  readonly until: number;
}

/** What clients have written, as a process has heard of it. It outlives reloads. */
export class Written {
  private readonly clock: Clock;
  private readonly most: number;
  private readonly sources = new Map<string, SourceWrites>();

  constructor(clock: Clock, most = MOST) {
    this.clock = clock;
    this.most = most;
  }

  /** Of two notes about a client the later one holds. */
  hear({ source: name, keys, position }: WriteNote): void {
    const until = this.clock.now() + REMEMBERED;
    const source = this.sources.get(name) ?? new SourceWrites(this.most);
    this.sources.set(name, source);
    for (const key of keys) source.note(key, { position, until }, this.clock.now());
  }

  /** Nobody has written lately. */
  isQuiet(source: string): boolean {
    return this.sources.get(source)?.isQuiet !== false;
  }

  /** All that a client has to wait for. */
  positionsOf(source: string, key: string): (string | null)[] {
    return this.sources.get(source)?.positionsOf(key, this.clock.now()) ?? [];
  }

  /** The source was followed beyond what this client has written. */
  forget(source: string, key: string): void {
    this.sources.get(source)?.forget(key);
  }
}

class SourceWrites {
  private readonly most: number;
  /** In the order in which they end. */
  private readonly notes = new Map<string, Remembered>();
  /** Of those that were too many: it is later than what each of them has written. */
  private everyone: Remembered | null = null;

  constructor(most: number) {
    this.most = most;
  }

  get isQuiet(): boolean {
    return this.notes.size === 0 && this.everyone === null;
  }

  note(key: string, noted: Remembered, now: number): void {
    this.notes.delete(key);
    for (const [old, { until }] of this.notes) {
      if (until > now) break;
      this.notes.delete(old);
    }
    if (this.notes.size < this.most) return void this.notes.set(key, noted);
    this.notes.clear();
    this.everyone = noted;
  }

  positionsOf(key: string, now: number): (string | null)[] {
    if (this.everyone !== null && this.everyone.until <= now) this.everyone = null;
    const own = this.notes.get(key);
    const standing = [
      ...(own === undefined ? [] : [own]),
      ...(this.everyone === null ? [] : [this.everyone]),
    ];
    return standing.filter(({ until }) => until > now).map(({ position }) => position);
  }

  forget(key: string): void {
    this.notes.delete(key);
  }
}
