import { bodyLength } from '../http/body.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { endsAtConnection, Kind, kindOf } from '../http1/index.ts';

/** No content goes out, whatever the answer has: node:http2 sends none with 205 either (RFC 9110 §15.3.6). */
export function isBodiless(exchange: Exchange, status: number): boolean {
  return exchange.method === 'HEAD' || status === 204 || status === 205 || status === 304;
}

/**
 * The fields of a final answer, `[name, value, …]`, re-made from what was understood of the service's: what
 * concerns a connection of HTTP/1.1 alone has no place here (RFC 9113 §8.2.2). Date is added where it is missing,
 * by whoever sends them.
 */
export function responseFields(exchange: Exchange, answer: Reply): Headers {
  const { status, headers, body } = answer;
  const bodiless = isBodiless(exchange, status);
  const fields: Headers = [':status', String(status)];
  for (let i = 0; i < headers.length; i += 2) {
    const kind = kindOf(headers[i]!);
    if (endsAtConnection(kind) || kind === Kind.requestId) continue;
    if (kind === Kind.contentLength && (!bodiless || status === 204 || body !== null)) continue;
    fields.push(headers[i]!.toLowerCase(), headers[i + 1]!);
  }
  if (exchange.id !== '') fields.push('x-request-id', exchange.id);
  const length = bodyLength(body);
  // A local answer to HEAD says what GET would have got (RFC 9110 §9.3.2).
  if (bodiless ? exchange.method === 'HEAD' && length > 0 : length >= 0)
    fields.push('content-length', String(length));
  return fields;
}

/** The fields of an interim answer. */
export function interimFields(status: number, headers: Headers): FieldLists {
  return { ':status': [String(status)], ...fieldLists(headers) };
}

/** Values by name, for what takes no list of lines. */
export type FieldLists = Record<string, string[]>;

/** Trailers; those that frame a message can't stand there. */
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
