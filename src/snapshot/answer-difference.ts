import type { Answered, Difference } from '../cache/index.ts';
import { toJson, type Value } from '../expression/index.ts';
import { getHeader } from '../http/headers.ts';
import { decoded, readJson } from './answered-content.ts';

/** Longer values are told by their beginnings. */
const MOST_SHOWN = 64;
const NOTHING = Buffer.alloc(0);

/** The first difference of two answers; null: there is none that counts. */
export type DifferenceOf = (kept: Answered, origin: Answered) => Difference | null;

/**
 * How answers are compared: status, media type and content, JSON by what it is worth.
 *
 * @param ignored Members whose path ends so count for nothing: names with dots between.
 * @param tells Values are told, not only where they stand.
 */
export function compileDifference(ignored: readonly string[], tells: boolean): DifferenceOf {
  const paths = ignored.map((path) => path.split('.').reverse());
  return (kept, origin) => {
    const found = differenceOf(kept, origin, paths);
    return found === null || tells ? found : { at: found.at };
  };
}

type Ignored = readonly (readonly string[])[];

function differenceOf(kept: Answered, origin: Answered, ignored: Ignored): Difference | null {
  if (kept.status !== origin.status)
    return { at: 'status', kept: String(kept.status), origin: String(origin.status) };
  const [type, other] = [mediaType(kept), mediaType(origin)];
  if (type !== other) return { at: 'content-type', kept: type, origin: other };
  const [left, right] = [contentOf(kept), contentOf(origin)];
  if (left.equals(right)) return null;
  const [json, otherJson] = [readJson(left), readJson(right)];
  if (json === undefined || otherJson === undefined) return { at: `byte ${firstOther(left, right)}` };
  return new JsonDifference(ignored).of(json, otherJson);
}

function mediaType({ headers }: Answered): string {
  const [type = ''] = (getHeader(headers, 'content-type') ?? 'none').split(';', 1);
  return type.trim().toLowerCase();
}

function contentOf({ body, headers }: Answered): Buffer {
  return body === null ? NOTHING : (decoded(body, headers) ?? body);
}

function firstOther(left: Buffer, right: Buffer): number {
  const end = Math.min(left.length, right.length);
  for (let i = 0; i < end; i++) if (left[i] !== right[i]) return i;
  return end;
}

/** Walks through two values side by side, to the first place where they differ. */
class JsonDifference {
  private readonly ignored: Ignored;
  private readonly place: (string | number)[] = [];

  constructor(ignored: Ignored) {
    this.ignored = ignored;
  }

  of(left: Value | undefined, right: Value | undefined): Difference | null {
    if (this.isIgnored()) return null;
    if (left instanceof Map && right instanceof Map) return this.ofMembers(left, right);
    if (Array.isArray(left) && Array.isArray(right)) return this.ofItems(left, right);
    // Between a bigint and a number, == compares exactly.
    // biome-ignore lint/suspicious/noDoubleEquals: exactness between bigint and number is what == is for
    if (left === right || (isNumber(left) && isNumber(right) && left == right)) return null;
    return { at: this.path(), kept: shown(left), origin: shown(right) };
  }

  private ofMembers(left: ReadonlyMap<Value, Value>, right: ReadonlyMap<Value, Value>): Difference | null {
    for (const name of new Set([...left.keys(), ...right.keys()])) {
      const found = this.at(String(name), left.get(name), right.get(name));
      if (found !== null) return found;
    }
    return null;
  }

  private ofItems(left: readonly Value[], right: readonly Value[]): Difference | null {
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      const found = this.at(i, left[i], right[i]);
      if (found !== null) return found;
    }
    return null;
  }

  private at(step: string | number, left: Value | undefined, right: Value | undefined): Difference | null {
    this.place.push(step);
    const found = this.of(left, right);
    this.place.pop();
    return found;
  }

  private isIgnored(): boolean {
    if (this.ignored.length === 0 || typeof this.place.at(-1) !== 'string') return false;
    const names = this.place.filter((step) => typeof step === 'string').reverse();
    return this.ignored.some((path) => path.every((name, i) => name === names[i]));
  }

  private path(): string {
    const steps = this.place.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
    return `body${steps.join('')}`;
  }
}

function isNumber(value: Value | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function shown(value: Value | undefined): string {
  if (value === undefined) return 'absent';
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return 'a list';
  return String(toJson(value)).slice(0, MOST_SHOWN);
}
