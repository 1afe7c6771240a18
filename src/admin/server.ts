import {
  createServer,
  type IncomingMessage,
  type Server as PlainServer,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { AdminConfig } from '../config/model.ts';
import { ServerTls } from '../http1/index.ts';
import type { AdminParts, AdminServer, NodeView } from '../workers/index.ts';
import { adminApp, HEADERS } from './app.ts';
import { auditTo } from './audit.ts';
import { Dashboard } from './dashboard.ts';
import { EVENTS_PATH, streamEvents } from './event-stream.ts';
import { Guard } from './guard.ts';
import { PROBLEM_TYPE, problemText } from './problem.ts';
import { postedTo } from './push.ts';
import { Room } from './room.ts';
import { answerUnread, toOriginForm } from './unread.ts';

/** Bounds for whoever connects: an admin listener must not be a way to hold the supervisor up. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
  // Probes need none, and of all others the guard asks for it.
  requireHostHeader: false,
};
/** Room for readers of events, and for telling many more that there are too many. */
const MOST_CONNECTIONS = 640;

/** Opens the admin listener. */
export async function startAdmin({ config, handle, view, log }: AdminParts): Promise<AdminServer> {
  const app = adminApp(view, (error) => log.error('the admin API failed', { error }), auditTo(log, config));
  const api = getRequestListener(app.fetch);
  const guard = new Guard(config);
  const dashboard = new Dashboard();
  const streams = new Set<ServerResponse>();
  const room = new Room(MOST_CONNECTIONS);
  const { server, renew } = open(config, (request, response) => {
    if (!toOriginForm(request)) return refuseTarget(response);
    if (probed(request, response, view)) return;
    const foreign = guard.checkPage(request);
    if (foreign === null && dashboard.answer(request, response)) return;
    const refusal = guard.check(request, ownToken(request, view));
    if (refusal === null) {
      room.letIn(request.socket, response);
      return isEvents(request) ? events(request, response, view, streams) : void api(request, response);
    }
    const { status, title, detail, headers } = refusal;
    send(response, status, PROBLEM_TYPE, problemText(status, title, detail), headers);
  });
  answerUnread(server);
  room.watch(server);
  await listening(server, handle ?? { host: config.host, port: config.port });
  return {
    renew,
    leave: () => {
      server.close();
      for (const stream of streams) endStream(stream);
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** With TLS where the config says so; whether it does holds for the life of the listener. */
function open(
  { tls: settings }: AdminConfig,
  handler: RequestListener,
): { server: PlainServer | Server; renew: AdminServer['renew'] } {
  if (settings === null) return { server: createServer(LIMITS, handler), renew: () => {} };
  const tls = new ServerTls(settings);
  const server = createTlsServer(
    { ...LIMITS, ...tls.options, handshakeTimeout: LIMITS.headersTimeout },
    handler,
  );
  return { server, renew: (next) => next.tls !== null && tls.update(server, next.tls) };
}

/** Its connection would else be kept for a request that can't come. */
function endStream(stream: ServerResponse): void {
  const { socket } = stream;
  stream.end(() => socket?.end());
}

function listening(server: PlainServer | Server, on: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(on, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Who posts events to a source has its token, not the admin's. */
function ownToken({ method, url = '' }: IncomingMessage, view: NodeView): string | null {
  const source = method === 'POST' ? postedTo(url) : null;
  return source === null ? null : (view.posted(source)?.token ?? null);
}

function isEvents({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && url.split('?', 1)[0] === EVENTS_PATH;
}

/** Beside the API's own way: what streams without end needs its bounds at the socket. */
function events(
  request: IncomingMessage,
  response: ServerResponse,
  view: NodeView,
  streams: Set<ServerResponse>,
): void {
  if (streamEvents(request, response, view.events, HEADERS)) {
    streams.add(response);
    response.once('close', () => streams.delete(response));
    return;
  }
  const detail = 'As many read the events as may.';
  send(response, 503, PROBLEM_TYPE, problemText(503, 'Service Unavailable', detail), {
    'retry-after': '10',
    connection: 'close',
  });
}

function refuseTarget(response: ServerResponse): void {
  send(response, 400, PROBLEM_TYPE, problemText(400, 'Bad Request', 'The request names no path.'));
}

const PROBES = new Set(['/healthz', '/readyz']);

/**
 * `/healthz` and `/readyz` are for load balancers, which know neither token nor name and may speak HTTP/1.0
 * without Host: they are answered before all else.
 */
function probed(request: IncomingMessage, response: ServerResponse, view: NodeView): boolean {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (!PROBES.has(path)) return false;
  const why = path === '/readyz' ? view.unready() : null;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const text = problemText(405, 'Method Not Allowed', 'This resource can only be read.');
    send(response, 405, PROBLEM_TYPE, text, { allow: 'GET, HEAD' });
  } else if (why === null) send(response, 200, 'text/plain; charset=utf-8', 'ok\n');
  else send(response, 503, PROBLEM_TYPE, problemText(503, 'Service Unavailable', `Not ready: ${why}.`));
  return true;
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: object = {},
): void {
  response.writeHead(status, {
    ...HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
