import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { HEADERS } from './app.ts';
import { PROBLEM_TYPE, problemText } from './problem.ts';

type Refusal = readonly [status: number, title: string, detail: string];

/** For the rest of what was sent, ms. */
const LINGER = 1000;

/** What Node can't read as a request, or not in time. */
const UNREAD: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The head may have 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
};
const MALFORMED: Refusal = [400, 'Bad Request', 'The request breaks the syntax of HTTP/1.1.'];
const EXPECTATION: Refusal = [417, 'Expectation Failed', 'The only expectation that is met is 100-continue.'];
const TUNNEL: Refusal = [405, 'Method Not Allowed', 'The admin listener opens no tunnels.'];

/** What Node would answer by itself, without a word, or not at all, gets a problem document as all else does. */
export function answerUnread(server: PlainServer | Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (isAnswerable(error, socket)) refuse(socket, UNREAD[error.code!] ?? MALFORMED);
    else socket.destroy(error);
  });
  server.on('checkExpectation', ({ socket }: IncomingMessage) => refuse(socket, EXPECTATION));
  server.on('connect', (_: IncomingMessage, socket: Duplex) => refuse(socket, TUNNEL));
}

/** An answer that was begun can't be bettered, and a handshake that failed has nobody to read one. */
function isAnswerable({ code = '' }: NodeJS.ErrnoException, socket: Duplex): boolean {
  const begun = (socket as Duplex & { _httpMessage?: ServerResponse })._httpMessage?.headersSent ?? false;
  return (code.startsWith('HPE_') || code.startsWith('ERR_HTTP_')) && !begun && socket.writable;
}

function refuse(socket: Duplex, [status, title, detail]: Refusal): void {
  const text = problemText(status, title, detail);
  const headers = {
    ...HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${text}`);
  // Closed at once the answer might be lost to a reset; left open, whoever never closes would keep it.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  socket.once('close', () => clearTimeout(timer));
}

/**
 * Brings a request to the form that names a path alone; false where it names none (`*`). What an absolute target
 * says takes the place of Host (RFC 9112 §3.2.2), which is then looked at as any other.
 */
export function toOriginForm(request: IncomingMessage): boolean {
  const { url = '' } = request;
  if (url.startsWith('/')) return true;
  const [, authority, rest] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url) ?? [];
  if (authority === undefined) return false;
  request.headers.host = authority;
  request.url = rest!.startsWith('/') ? rest : `/${rest}`;
  return true;
}
