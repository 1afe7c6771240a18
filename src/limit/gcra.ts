/** So many requests in so long a time, and how many at once. */
export interface Allowance {
  /** Requests in a window. */
  readonly count: number;
  /** The window, in ms. */
  readonly per: number;
  /** Requests that may come together. */
  readonly burst: number;
}

/** What a limit says of one request. */
export interface Verdict {
  readonly allowed: boolean;
  /** Requests that may still come now. */
  readonly remaining: number;
  /** Milliseconds until another one may come; 0 where it may now. */
  readonly wait: number;
  /** Milliseconds until all of the burst may come again. */
  readonly full: number;
}

/** Milliseconds that one request takes up. */
export function intervalOf({ count, per }: Allowance): number {
  return per / count;
}

/**
 * The generic cell rate algorithm (ITU-T I.371): a key has one number, the time by which all that came is worked off
 * at the allowed rate (`until`, ms; in the past: it is idle). A request is allowed while that lies at most a burst ahead.
 */
export function judge(until: number, now: number, allowance: Allowance): Verdict {
  const interval = intervalOf(allowance);
  const ahead = Math.max(0, until - now);
  const room = allowance.burst * interval - ahead;
  const allowed = room - interval >= -SLACK;
  if (!allowed) return { allowed, remaining: 0, wait: interval - room, full: ahead };
  const remaining = Math.max(0, Math.floor((room - interval + SLACK) / interval));
  return {
    allowed,
    remaining,
    wait: remaining > 0 ? 0 : Math.max(0, 2 * interval - room),
    full: ahead + interval,
  };
}

/** What is left where the request that was just allowed is not used after all. */
export function unspent({ allowed, remaining, full }: Verdict, allowance: Allowance): Verdict {
  return { allowed, remaining: remaining + 1, wait: 0, full: Math.max(0, full - intervalOf(allowance)) };
}

/** Ten nanoseconds: what fractions of a millisecond may be off by after many additions. */
const SLACK = 1e-5;
