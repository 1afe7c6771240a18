import type { CacheOutcome } from '../http/cache-outcome.ts';
import { addRequest, addTime, DETAIL, type TimedPhase } from './metrics/route-detail.ts';
import { type PackedRows, packRows } from './packed-rows.ts';

/**
 * Counts of one route in one worker. Resolved once, when the snapshot is compiled; an increment is one
 * addition in a table of doubles.
 */

/** What is counted, in the order it stands in a row. */
export const COUNTS = [
  'requests',
  'informational',
  'success',
  'redirection',
  'clientError',
  'serverError',
  'bytesIn',
  'bytesOut',
  'inFlight',
  'limited',
  'reported',
  'audited',
  'mismatched',
  'refreshed',
  'refreshFailed',
  'refreshDropped',
] as const;
export type CountName = (typeof COUNTS)[number];

const WIDTH = COUNTS.length;
const CLASSES = 1;
const BYTES_IN = 6;
const BYTES_OUT = 7;
const IN_FLIGHT = 8;
const LIMITED = 9;
const REPORTED = 10;
const AUDITED = 11;
const MISMATCHED = 12;
const REFRESHED = 13;
const REFRESH_FAILED = 14;
const REFRESH_DROPPED = 15;
const ROWS_PER_TABLE = 256;

/** Name under which requests that no route takes are counted; no route can have it. */
export const UNMATCHED = '(none)';

export class RouteCounter {
  private readonly table: Float64Array;
  private readonly base: number;
  /** By kinds and times, made at the first request that is counted so (`metrics/route-detail.ts`). */
  private detail: Float64Array | null = null;

  constructor(table: Float64Array, base: number) {
    this.table = table;
    this.base = base;
  }

  /** A request was given to the route. Exactly one `end` follows. */
  begin(): void {
    this.table[this.base]!++;
    this.table[this.base + IN_FLIGHT]!++;
  }

  /** It is over, with this status; 499 where the client left before any. */
  end(status: number): void {
    this.table[this.base + IN_FLIGHT]!--;
    if (status >= 100 && status < 600) this.table[this.base + CLASSES + ((status / 100) | 0) - 1]!++;
  }

  /** Bytes of body, client to gateway. */
  received(bytes: number): void {
    this.table[this.base + BYTES_IN]! += bytes;
  }

  /** Bytes of body, gateway to client. */
  sent(bytes: number): void {
    this.table[this.base + BYTES_OUT]! += bytes;
  }

  /** A limit refused a request. */
  limited(): void {
    this.table[this.base + LIMITED]!++;
  }

  /** A limit or rule that is on trial would have refused one. */
  reported(): void {
    this.table[this.base + REPORTED]!++;
  }

  /** A hit was compared with what the origin says. */
  audited(): void {
    this.table[this.base + AUDITED]!++;
  }

  /** It was not the same. */
  mismatched(): void {
    this.table[this.base + MISMATCHED]!++;
  }

  /** An entry that a change had unseated was filled again in the background. */
  refreshed(): void {
    this.table[this.base + REFRESHED]!++;
  }

  /** One was to be, and its origin gave nothing that could be stored. */
  refreshFailed(): void {
    this.table[this.base + REFRESH_FAILED]!++;
  }

  /** One was not tried: too many were unseated at once. */
  refreshDropped(): void {
    this.table[this.base + REFRESH_DROPPED]!++;
  }

  /** A request is over, with its kinds and times in ms. */
  detailed(
    method: string,
    status: number,
    outcome: CacheOutcome | null,
    duration: number,
    firstByte: number,
  ): void {
    this.detail ??= new Float64Array(DETAIL.length);
    addRequest(this.detail, method, status, outcome, duration, firstByte);
  }

  /** A phase of a request is over, after `ms`. */
  timed(phase: TimedPhase, ms: number): void {
    this.detail ??= new Float64Array(DETAIL.length);
    addTime(this.detail, DETAIL[phase], ms / 1000);
  }

  /** Its row: what stands in the order of `COUNTS`, and behind it what is counted in detail, where anything is. */
  parts(): { counts: Float64Array; detail: Float64Array | null } {
    return { counts: this.table.subarray(this.base, this.base + WIDTH), detail: this.detail };
  }
}

/** All counters of a worker. They outlive a reload: a route that keeps its name goes on counting. */
export class Counters {
  private readonly byRoute = new Map<string, RouteCounter>();
  private table = new Float64Array(ROWS_PER_TABLE * WIDTH);
  private used = 0;

  route(name: string): RouteCounter {
    let counter = this.byRoute.get(name);
    if (counter !== undefined) return counter;
    if (this.used === ROWS_PER_TABLE) {
      this.table = new Float64Array(ROWS_PER_TABLE * WIDTH);
      this.used = 0;
    }
    counter = new RouteCounter(this.table, this.used++ * WIDTH);
    this.byRoute.set(name, counter);
    return counter;
  }

  /** All rows, as a worker sends them to the supervisor. */
  pack(): PackedRows {
    return packRows([...this.byRoute].map(([name, counter]) => ({ name, ...counter.parts() })));
  }
}

/** What workers that are gone leave behind: all they counted, but nothing is in flight there any more. */
export function settle(sum: ReadonlyMap<string, Float64Array>): void {
  for (const row of sum.values()) row[IN_FLIGHT] = 0;
}

/** A row with its names: `{ requests, informational, …, refreshDropped }`. */
export function namedCounts(row: ArrayLike<number> | undefined): Record<CountName, number> {
  return Object.fromEntries(COUNTS.map((name, i) => [name, row?.[i] ?? 0])) as Record<CountName, number>;
}

/** Details of all rows together, as far as they are of phases; the rest is 0. */
export function sumOfPhases(rows: Iterable<Float64Array>): Float64Array {
  const sum = new Float64Array(DETAIL.length);
  for (const row of rows) {
    const detail = detailOfRow(row);
    if (detail === null) continue;
    for (let i = DETAIL.auth; i < DETAIL.length; i++) sum[i] = sum[i]! + detail[i]!;
  }
  return sum;
}

/** What a row has in detail; null: nothing. */
export function detailOfRow(row: Float64Array | undefined): Float64Array | null {
  return row === undefined || row.length <= WIDTH ? null : row.subarray(WIDTH);
}
