import type { RetriesConfig, StatusRange } from '../config/model.ts';
import type { Failure } from '../http/errors.ts';
import type { Random } from '../util/random.ts';

/** What can go wrong with one try, as far as retries and health are concerned. */
export type Trouble = 'connectFailure' | 'reset' | 'timeout' | 'other';

export function troubleOf(failure: Failure): Trouble {
  switch (failure.code) {
    case 'TG_UPSTREAM_REFUSED':
    case 'TG_UPSTREAM_DNS':
    case 'TG_UPSTREAM_TLS':
    case 'TG_UPSTREAM_CONNECT_TIMEOUT':
      return 'connectFailure';
    case 'TG_UPSTREAM_RESET':
    case 'TG_UPSTREAM_TRUNCATED':
      return 'reset';
    case 'TG_UPSTREAM_FIRST_BYTE':
      return 'timeout';
    default:
      return 'other';
  }
}

/** One try that failed. */
export interface FailedTry {
  readonly trouble: Trouble;
  /** The answer's status, where there was one. */
  readonly status: number | null;
  /** Some of the request may have reached the service. */
  readonly sent: boolean;
  readonly method: string;
  /** What was sent of the body can be sent again. */
  readonly replayable: boolean;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** RFC 9110 §9.2.2: doing it twice is doing it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** May a request of this method be sent again after it may have reached the service? */
export function mayRepeat(method: string, config: RetriesConfig): boolean {
  return isIdempotent(method) || config.methods.includes(method);
}

/** Is this try worth another one, by what the config says and by what is safe? Count and budget aside. */
export function isRetryable(failed: FailedTry, config: RetriesConfig): boolean {
  if (failed.sent && !mayRepeat(failed.method, config)) return false;
  if (!failed.replayable) return false;
  if (failed.status !== null) return statusIn(failed.status, config.on.statuses);
  return failed.trouble !== 'other' && config.on[failed.trouble];
}

export function statusIn(status: number, ranges: readonly StatusRange[]): boolean {
  for (const [from, to] of ranges) if (status >= from && status <= to) return true;
  return false;
}

/** Longest wait before the first retry of a target that was tried already; it doubles. Milliseconds. */
const FIRST_WAIT = 25;
const LONGEST_WAIT = 1000;

/**
 * How long to wait before retry number `n`, from 1: nothing where another target can be asked, else up to
 * 25 ms, 50 ms, … at random, so that those who failed together don't come back together.
 */
export function retryDelay(n: number, untried: boolean, random: Random): number {
  return untried ? 0 : random.number() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (n - 1));
}
