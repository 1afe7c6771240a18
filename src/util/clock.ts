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
  /** Calls `run` once after `ms`; the owner must `cancel` what it no longer wants. Never keeps the process alive. */
  after(ms: number, run: () => void): Timer;
  cancel(timer: Timer): void;
}

/** setTimeout counts in 32 bits; a longer wait would fire at once. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => setTimeout(run, Math.min(Math.max(ms, 0), LONGEST)).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
