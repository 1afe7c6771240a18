import { bodyLength } from '../http/body.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { endsAtConnection, Kind, kindOf } from '../http1/index.ts';
import { type FieldLists, fieldLists, isBodiless } from './fields.ts';

/**
 * The fields of a final answer, `[name, value, …]`, re-made from what was understood of the service's: what
 * concerns a connection of HTTP/1.1 alone has no place here (RFC 9113 §8.2.2). Date is added where it is missing,
 * by whoever sends them.
 */
export function responseFields(exchange: Exchange, answer: Reply): Headers {
  const { status, headers, body } = answer;
  const bodiless = isBodiless(exchange.method, status);
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
