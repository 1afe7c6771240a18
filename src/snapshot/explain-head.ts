import type { ListenerConfig } from '../config/model.ts';
import { ERRORS, type ErrorCode } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { fieldBytes } from '../http/field-text.ts';
import { getHeader, type Headers } from '../http/headers.ts';
import { parseRequestHead, resolveTarget } from '../http1/index.ts';

/** An answer to what never came as far as the routes. */
export interface Unread {
  status: number;
  why: string;
}

export function unread(code: ErrorCode): Unread {
  const { status, detail } = ERRORS[code];
  return { status, why: detail.replace(/\.$/, '') };
}

/** What the listener itself refuses about a request, sent as HTTP/1.1; null: it hands it on. */
export function refusedHead(exchange: Exchange, headers: Headers, { limits }: ListenerConfig): Unread | null {
  const text = headText(exchange, headers);
  const head = parseRequestHead(text, limits);
  if (head !== 'TG_REQUEST_URI_TOO_LONG' && text.length + 2 > limits.head)
    return unread('TG_REQUEST_HEAD_TOO_LARGE');
  if (typeof head === 'string') return unread(head);
  const target = resolveTarget(head);
  if (typeof target === 'string') return unread(target);
  if (head.contentLength > limits.body) return unread('TG_REQUEST_BODY_TOO_LARGE');
  const { expect } = head;
  return expect === null || expect.toLowerCase() === '100-continue' ? null : unread('TG_REQUEST_EXPECTATION');
}

/** The request line and the header lines; a client adds the Host that is not said. */
function headText({ method, target, authority }: Exchange, headers: Headers): string {
  const lines = [`${method} ${fieldBytes(target)} HTTP/1.1`];
  if (getHeader(headers, 'host') === undefined) lines.push(`host: ${authority}`);
  for (let at = 0; at < headers.length; at += 2)
    lines.push(`${headers[at]!}: ${fieldBytes(headers[at + 1]!)}`);
  return `${lines.join('\r\n')}\r\n`;
}
