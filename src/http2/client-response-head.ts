import { ResponseHead } from '../http1/index.ts';

/** The same bounds as for HTTP/1.1. */
export const MAX_HEAD = 64 * 1024;
export const MAX_FIELDS = 1000;
/** What each field counts for beside its name and value (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD = 32;

/**
 * The head of an answer out of its fields, `[name, value, …]`, or what is wrong with it. What RFC 9113 §8.1.1 calls
 * malformed has been refused before, by a reset of its stream.
 */
export function readResponseHead(fields: readonly string[]): ResponseHead | string {
  const tooLarge = tooLargeFields(fields);
  if (tooLarge !== null) return tooLarge;
  const head = new ResponseHead();
  head.version = 20;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name === ':status') head.status = Number(value);
    else head.headers.push(name, value);
    if (name === 'content-length') head.contentLength = Number(value);
  }
  if (!(head.status >= 100 && head.status <= 999)) return 'malformed status';
  if (!(head.contentLength >= -1)) return 'malformed content-length';
  return head;
}

/** What of the bounds these fields break, a head's or trailers; null for nothing. */
export function tooLargeFields(fields: readonly string[]): string | null {
  if (fields.length > 2 * MAX_FIELDS) return `more than ${MAX_FIELDS} fields`;
  let size = 0;
  for (let i = 0; i < fields.length; i += 2)
    size += fields[i]!.length + fields[i + 1]!.length + FIELD_OVERHEAD;
  return size > MAX_HEAD ? 'fields over 64 KiB' : null;
}
