import type { ErrorCode } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { endsAtConnection, Kind, kindOf, parseRequestHead } from '../http1/index.ts';

/** It was bounded when it was made. */
const UNBOUNDED = { uri: Number.POSITIVE_INFINITY, headers: Number.POSITIVE_INFINITY };

/**
 * The fields of a request out of its head as HTTP/1.1 has it: what a service is told is decided in one place, and
 * read here as strictly as a service would. What concerns a connection alone stays behind, names are in lower case,
 * and `trailers` is all that is left of TE (RFC 9113 §8.2, §8.2.2, §8.3.1).
 *
 * @param head Request line, header lines, and the empty line.
 */
export function requestFields(head: string, scheme: 'http' | 'https'): Headers | ErrorCode {
  const read = parseRequestHead(head.slice(0, -'\r\n'.length), UNBOUNDED);
  if (typeof read === 'string') return read;
  const fields: Headers = [':method', read.method, ':scheme', scheme];
  if (read.host !== null && read.host !== '') fields.push(':authority', read.host);
  fields.push(':path', read.target);
  const { headers } = read;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const kind = kindOf(name);
    if (kind === Kind.host || endsAtConnection(kind)) continue;
    fields.push(name.toLowerCase(), headers[i + 1]!);
  }
  if (read.trailers) fields.push('te', 'trailers');
  return fields;
}
