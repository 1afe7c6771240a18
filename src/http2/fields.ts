import type { Headers } from '../http/headers.ts';
import { endsAtConnection, Kind, kindOf } from '../http1/index.ts';

/** Values by name, for what takes no list of lines. */
export type FieldLists = Record<string, string[]>;

/** Trailers, or an interim answer; what frames a message or concerns a connection can't stand there. */
export function fieldLists(headers: Headers): FieldLists {
  const lists: FieldLists = Object.create(null);
  for (let i = 0; i < headers.length; i += 2) {
    const kind = kindOf(headers[i]!);
    if (endsAtConnection(kind) || kind === Kind.contentLength) continue;
    const name = headers[i]!.toLowerCase();
    lists[name] ??= [];
    lists[name].push(headers[i + 1]!);
  }
  return lists;
}

/**
 * An answer with this status to this method has no content, whatever its fields say (RFC 9110 §6.4.1, §15.3.6):
 * node:http2 sends none with 205 either.
 */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 205 || status === 304;
}
