import { EvaluationFailure } from './failure.ts';
import { JsonReader } from './json-reader.ts';
import { durationText, timestampText } from './time.ts';
import { CelType, Duration, hasMembers, Timestamp, Uint, type Value } from './value.ts';

/** Text that is no JSON, names a member twice, or goes past a bound; `offset` is into the text. */
export { JsonError } from './json-reader.ts';

export interface JsonOptions {
  /** What a member that stands twice in one object means: an error, or that the last one counts. */
  readonly duplicates: 'reject' | 'last';
  /** What a number that is larger than any double means. Default: an error. */
  readonly huge?: 'reject' | 'infinity';
  /** Remembers how numbers were spelt, for whoever passes them on (`asSpelt`). Default: no. */
  readonly spelling?: 'keep';
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads JSON (RFC 8259) as values: objects as Maps, integers of any size exactly as bigints, other numbers
 * as doubles. A Buffer must be UTF-8. Throws a JsonError.
 */
export function parseJson(source: string | Uint8Array, options: JsonOptions): Value {
  return new JsonReader(
    typeof source === 'string' ? source : decode(source),
    options.duplicates === 'reject',
    options.huge === 'infinity',
    options.spelling === 'keep',
  ).whole();
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return JsonReader.notUtf8();
  }
}

/**
 * A value as JSON: bigints as digits, maps and fields as objects, bytes as base64, timestamps and durations
 * as their text. Fails for a NaN or an infinity, which JSON has no word for. `spend` is told the length of
 * each piece, before it is added.
 */
export function toJson(value: Value, spend: (length: number) => void = () => {}): string {
  const text = piece(value, spend);
  if (text !== null) return text;
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item, spend)).join(',')}]`;
  if (!hasMembers(value)) throw new EvaluationFailure('type', 'the value has no JSON');
  const members: string[] = [];
  for (const [key, member] of value.entries()) {
    const name = typeof key === 'string' ? key : key instanceof Uint ? key.value.toString() : String(key);
    spend(name.length + 4);
    members.push(`${JSON.stringify(name)}:${toJson(member, spend)}`);
  }
  return `{${members.join(',')}}`;
}

/** The JSON of anything but lists and maps; null for those. */
function piece(value: Value, spend: (length: number) => void): string | null {
  const text = scalar(value, spend);
  spend(text === null ? 2 : text.length);
  return text;
}

function scalar(value: Value, spend: (length: number) => void): string | null {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') {
    spend(value.length);
    return JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());
  }
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new EvaluationFailure('value', 'JSON has no NaN and no infinity');
  }
  if (value instanceof Uint8Array) {
    spend(value.length);
    return JSON.stringify(Buffer.from(value).toString('base64'));
  }
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Timestamp) return JSON.stringify(timestampText(value));
  if (value instanceof Duration) return JSON.stringify(durationText(value));
  return value instanceof CelType ? JSON.stringify(value.name) : null;
}
