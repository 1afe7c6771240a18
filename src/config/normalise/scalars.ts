import { parseDuration } from '../../util/duration.ts';
import { parseByteRate } from '../../util/rate.ts';
import { parseSize } from '../../util/size.ts';

/** Milliseconds; `none` is Infinity. */
export function durationOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  return text === 'none' ? Number.POSITIVE_INFINITY : parseDuration(text);
}

/** Bytes; `none` is Infinity. */
export function sizeOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  return text === 'none' ? Number.POSITIVE_INFINITY : parseSize(text);
}

/** Bytes a second; `none` is 0. */
export function byteRateOf(text: string | undefined): number {
  return text === undefined || text === 'none' ? 0 : parseByteRate(text);
}

/** `none` is Infinity. The text of `${…}` has become a number by now. */
export function countOf(value: number | string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  return value === 'none' ? Number.POSITIVE_INFINITY : Number(value);
}

/** One or a list, as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

/** Names as a record without a prototype, so that no name is special. */
export function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const result: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) result[key] = value;
  return result;
}
