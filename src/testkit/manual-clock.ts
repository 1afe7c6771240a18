import type { Clock, Timer } from '../util/clock.ts';

interface Entry {
  at: number;
  run: () => void;
}

/** A clock that stands still until a test moves it. Timers fire in the order they are due, then as set. */
export class ManualClock implements Clock {
  private time: number;
  private readonly wallOffset: number;
  private entries: Entry[] = [];

  /** `wall` is the date it begins at, in milliseconds since 1970. */
  constructor(wall = Date.UTC(2026, 0, 1), now = 1_000) {
    this.time = now;
    this.wallOffset = wall - now;
  }

  /** Timers set and neither fired nor cancelled. */
  get pending(): number {
    return this.entries.length;
  }

  /** Milliseconds until the next of them is due; Infinity where there is none. */
  get nextIn(): number {
    return Math.min(...this.entries.map(({ at }) => at - this.time));
  }

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.wallAt(this.time);
  }

  wallAt(now: number): number {
    return Math.floor(now + this.wallOffset);
  }

  after(ms: number, run: () => void): Timer {
    const entry = { at: this.time + Math.max(ms, 0), run };
    this.entries.push(entry);
    return entry;
  }

  cancel(timer: Timer): void {
    this.entries = this.entries.filter((entry) => entry !== timer);
  }

  /** Moves on by `ms`, firing all that falls due on the way, each at its own time. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let next = this.due(end); next !== null; next = this.due(end)) {
      this.cancel(next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }

  /** Time goes by, but what falls due fires only at the next `advance`: the event loop is held up. */
  stall(ms: number): void {
    this.time += ms;
  }

  private due(end: number): Entry | null {
    let first: Entry | null = null;
    for (const entry of this.entries) {
      if (entry.at <= end && (first === null || entry.at < first.at)) first = entry;
    }
    return first;
  }
}
