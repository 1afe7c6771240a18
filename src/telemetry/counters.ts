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
] as const;
export type CountName = (typeof COUNTS)[number];

const WIDTH = COUNTS.length;
const CLASSES = 1;
const BYTES_IN = 6;
const BYTES_OUT = 7;
const IN_FLIGHT = 8;
const LIMITED = 9;
const REPORTED = 10;
const ROWS_PER_TABLE = 256;

/** Name under which requests that no route takes are counted; no route can have it. */
export const UNMATCHED = '(none)';

export class RouteCounter {
  private readonly table: Float64Array;
  private readonly base: number;

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

  /** The row, in the order of `COUNTS`. */
  row(): number[] {
    return Array.from(this.table.subarray(this.base, this.base + WIDTH));
  }
}

/** Rows by the route's name: what a worker sends to the supervisor. */
export type CounterRows = Record<string, number[]>;

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

  read(): CounterRows {
    const rows: CounterRows = Object.create(null);
    for (const [name, counter] of this.byRoute) rows[name] = counter.row();
    return rows;
  }
}

/** Adds rows to a sum, in place. */
export function addRows(sum: Map<string, number[]>, rows: CounterRows): void {
  for (const [name, row] of Object.entries(rows)) {
    const total = sum.get(name);
    if (total === undefined) sum.set(name, [...row]);
    else for (let i = 0; i < WIDTH; i++) total[i] = total[i]! + (row[i] ?? 0);
  }
}

/** What a worker that is gone leaves behind: all it counted, but nothing is in flight there any more. */
export function settled(rows: CounterRows): CounterRows {
  const left: CounterRows = Object.create(null);
  for (const [name, row] of Object.entries(rows))
    left[name] = row.map((count, i) => (i === IN_FLIGHT ? 0 : count));
  return left;
}

/** A row with its names: `{ requests, informational, …, inFlight }`. */
export function namedCounts(row: readonly number[] | undefined): Record<CountName, number> {
  return Object.fromEntries(COUNTS.map((name, i) => [name, row?.[i] ?? 0])) as Record<CountName, number>;
}
