/**
 * Rows of counters as they go from a worker to the supervisor: only what is not 0, in five arrays. Of hundreds of numbers
 * a row has, few are ever counted, and a thousand arrays cost each side milliseconds that requests wait for.
 */
export interface PackedRows {
  readonly names: readonly string[];
  /** Numbers of each row. */
  readonly lengths: Uint16Array;
  /** Where those of each row that are not 0 end among all of them. */
  readonly ends: Uint32Array;
  /** Their places in their rows. */
  readonly places: Uint16Array;
  readonly values: Float64Array;
}

/** A row in two parts, the second of which may not be there. */
interface RowParts {
  readonly name: string;
  readonly counts: Float64Array;
  readonly detail: Float64Array | null;
}

export function packRows(rows: readonly RowParts[]): PackedRows {
  const names: string[] = [];
  const lengths = new Uint16Array(rows.length);
  const ends = new Uint32Array(rows.length);
  let places = new Uint16Array(rows.length * 32);
  let values = new Float64Array(rows.length * 32);
  let at = 0;
  for (const { name, counts, detail } of rows) {
    const length = counts.length + (detail?.length ?? 0);
    if (at + length > places.length) {
      places = grown(places, new Uint16Array(places.length * 2 + length));
      values = grown(values, new Float64Array(values.length * 2 + length));
    }
    at = addUsed(counts, 0, places, values, at);
    if (detail !== null) at = addUsed(detail, counts.length, places, values, at);
    lengths[names.length] = length;
    ends[names.length] = at;
    names.push(name);
  }
  return { names, lengths, ends, places: places.slice(0, at), values: values.slice(0, at) };
}

/** Adds what is not 0 of a part that begins at `from` in its row; gives where the next is to be added. */
function addUsed(
  part: Float64Array,
  from: number,
  places: Uint16Array,
  values: Float64Array,
  at: number,
): number {
  const { length } = part;
  for (let i = 0; i < length; i++) {
    const value = part[i]!;
    if (value === 0) continue;
    places[at] = from + i;
    values[at++] = value;
  }
  return at;
}

function grown<T extends Uint16Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

/** Adds the rows to those of the same names in a sum. */
export function addRows(
  sum: Map<string, Float64Array>,
  { names, lengths, ends, places, values }: PackedRows,
): void {
  let at = 0;
  for (let i = 0; i < names.length; i++) {
    const row = roomIn(sum, names[i]!, lengths[i]!);
    for (const end = ends[i]!; at < end; at++) row[places[at]!]! += values[at]!;
  }
}

/** The row of that name, made longer where it is too short. */
function roomIn(sum: Map<string, Float64Array>, name: string, length: number): Float64Array {
  const old = sum.get(name);
  if (old !== undefined && old.length >= length) return old;
  const row = new Float64Array(length);
  if (old !== undefined) row.set(old);
  sum.set(name, row);
  return row;
}
