import { CACHE_OUTCOMES, type CacheOutcome } from '../../http/cache-outcome.ts';

/** Methods that are told apart; what else clients send counts as `other`, so that nobody can make up labels. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const;
const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** `none`: the route has no cache. */
const OUTCOMES = ['none', ...CACHE_OUTCOMES] as const;

/** Upper bounds of the buckets of a histogram, in seconds; above them one without a bound. */
export const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** A histogram: a count for each bucket (not cumulative), and the sum in seconds. */
export const HISTOGRAM = BOUNDS.length + 2;
const SUM = BOUNDS.length + 1;
const KINDS = METHODS.length * STATUS_CLASSES.length * OUTCOMES.length;

/** What is timed within a request, whichever its route. */
export const TIMED_PHASES = ['auth', 'cache', 'upstream'] as const;
export type TimedPhase = (typeof TIMED_PHASES)[number];

/** How the numbers of a route stand in one array of doubles: sums of several are its sums over workers. */
export const DETAIL = {
  length: KINDS + 5 * HISTOGRAM,
  duration: KINDS,
  firstByte: KINDS + HISTOGRAM,
  auth: KINDS + 2 * HISTOGRAM,
  cache: KINDS + 3 * HISTOGRAM,
  upstream: KINDS + 4 * HISTOGRAM,
};

const methodIndex = new Map<string, number>(METHODS.map((name, index) => [name, index]));
const outcomeIndex = new Map<string | null, number>(OUTCOMES.map((name, index) => [name, index]));

/** What one request adds. Times in ms; `firstByte` negative: there was none. */
export function addRequest(
  detail: Float64Array,
  method: string,
  status: number,
  outcome: CacheOutcome | null,
  duration: number,
  firstByte: number,
): void {
  // Most are the first; the search costs more than all of the rest.
  const byMethod = method === METHODS[0] ? 0 : (methodIndex.get(method) ?? METHODS.length - 1);
  const byStatus = Math.min(4, Math.max(0, ((status / 100) | 0) - 1));
  const byOutcome = outcome === null ? 0 : outcomeIndex.get(outcome)!;
  detail[(byMethod * STATUS_CLASSES.length + byStatus) * OUTCOMES.length + byOutcome]!++;
  addTime(detail, DETAIL.duration, duration / 1000);
  if (firstByte >= 0) addTime(detail, DETAIL.firstByte, firstByte / 1000);
}

/** Counts a time in the histogram that begins at `at`. */
export function addTime(detail: Float64Array, at: number, seconds: number): void {
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
  detail[at + bucket]!++;
  detail[at + SUM]! += seconds;
}

/** Requests by their kinds, those there were none of left out. */
export function* requestsOf(
  detail: Float64Array,
): Iterable<{ method: string; code: string; cache: string; count: number }> {
  for (let i = 0; i < KINDS; i++) {
    const count = detail[i]!;
    if (count === 0) continue;
    const cache = OUTCOMES[i % OUTCOMES.length]!;
    const rest = Math.floor(i / OUTCOMES.length);
    const code = STATUS_CLASSES[rest % STATUS_CLASSES.length]!;
    const method = METHODS[Math.floor(rest / STATUS_CLASSES.length)]!;
    yield { method, code, cache, count };
  }
}

/** A histogram as it is told: cumulative counts by bound, and the sum in seconds. */
export function histogramOf(
  detail: Float64Array,
  at: number,
): { buckets: readonly number[]; count: number; sum: number } {
  const buckets: number[] = [];
  let count = 0;
  for (let i = 0; i <= BOUNDS.length; i++) {
    count += detail[at + i]!;
    buckets.push(count);
  }
  return { buckets, count, sum: detail[at + SUM]! };
}

/** The time below which a share of requests was, in seconds, by straight lines within buckets; null: there were none. */
export function quantileOf(detail: Float64Array, at: number, share: number): number | null {
  const { buckets, count } = histogramOf(detail, at);
  if (count === 0) return null;
  const rank = share * count;
  const bucket = buckets.findIndex((cumulative) => cumulative >= rank);
  if (bucket >= BOUNDS.length) return BOUNDS.at(-1)!;
  const below = bucket === 0 ? 0 : buckets[bucket - 1]!;
  const from = bucket === 0 ? 0 : BOUNDS[bucket - 1]!;
  const inside = buckets[bucket]! - below;
  return inside === 0 ? from : from + ((BOUNDS[bucket]! - from) * (rank - below)) / inside;
}
