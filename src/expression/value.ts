/**
 * What expressions compute with. CEL's int is a bigint, its double a number; integers that come from JSON
 * are ints.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Timestamp
  | Duration
  | Uint
  | CelType
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | Fields;

/** Something with named members that are looked up one by one, so that only what is asked for is made. */
export interface Fields {
  /** Undefined: there is no such member. */
  get(name: string): Value | undefined;
  /** All members, for iteration, equality and JSON. */
  entries(): Iterable<[string, Value]>;
}

/** The variables that an expression sees: `request`, `params`, … */
export type Variables = Pick<Fields, 'get'>;

/** A point in time, since the beginning of 1970. */
export class Timestamp {
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

export class Duration {
  readonly nanoseconds: bigint;
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** CEL's uint. As the key of a map it is a bigint, since 1u and 1 are the same key. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** What `type(x)` yields, and what `int`, `string`, … mean where no variable is called so. */
export class CelType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Is this something with members: a map, or fields that are made when asked for? */
export function hasMembers(value: Value | undefined): value is ReadonlyMap<Value, Value> | Fields {
  return (
    value instanceof Map ||
    (typeof value === 'object' &&
      value !== null &&
      'entries' in value &&
      !Array.isArray(value) &&
      !(value instanceof Uint8Array))
  );
}

/** A text of JSON that stands for itself: taken over byte for byte where a value is written as JSON. */
export class Verbatim implements Fields {
  readonly json: Uint8Array;

  constructor(json: Uint8Array) {
    this.json = json;
  }

  get(): undefined {
    return undefined;
  }

  entries(): Iterable<[string, Value]> {
    return [];
  }
}

/** Something whose body may be taken over as it came. */
export interface VerbatimSource extends Fields {
  /** A `Verbatim`, or the value where there are no bytes of it. */
  verbatim(): Value;
}
