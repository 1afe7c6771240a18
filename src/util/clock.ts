// The global of the same name is looked up anew, through a getter, each time somebody asks for the time.
import { performance } from 'node:perf_hooks';

/** A pending timer; opaque to everyone but the clock that made it. */
export type Timer = object;

/**
 * Time as the gateway sees it. Handed in everywhere, so that a test can move it by hand
 * (`ManualClock` in the test kit).
 */
export interface Clock {
  /** Monotonic milliseconds, with fractions: for durations and deadlines. Never goes back. */
  now(): number;
  /** Milliseconds since 1970: for dates in headers and logs only. */
  wall(): number;
  /** `wall()` at a moment of `now()`: for those who know the moment already, as asking for it costs more. */
  wallAt(now: number): number;
  /** Calls `run` once after `ms`; the owner must `cancel` what it no longer wants. Never keeps the process alive. */
  after(ms: number, run: () => void): Timer;
  cancel(timer: Timer): void;
}

/** setTimeout counts in 32 bits; a longer wait would fire at once. */
export const LONGEST_WAIT = 2 ** 31 - 1;

/** How long a step of the system's clock may go unheard, in ms: asking for both costs more than asking for one. */
const COMPARE_EVERY = 1000;

let comparedAt = Number.NEGATIVE_INFINITY;
let offset = 0;

function wallAt(now: number): number {
  if (now - comparedAt >= COMPARE_EVERY) {
    comparedAt = performance.now();
    offset = Date.now() - comparedAt;
  }
  return Math.floor(now + offset);
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => wallAt(performance.now()),
  wallAt,
  after: (ms, run) => setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_WAIT)).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
