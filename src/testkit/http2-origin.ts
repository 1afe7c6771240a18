import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the service got it. */
export interface Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** `[name, value, …]`, as they came. */
  readonly fields: readonly string[];
}

export interface Http2Origin {
  readonly port: number;
  readonly url: string;
  readonly requests: Http2Request[];
  /** Connections that were made to it and still stand. */
  readonly sessions: Set<ServerHttp2Session>;
  /** Those made so far. */
  connections: number;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An ordinary service on node:http2, on a free port; with TLS where it has a certificate. */
export async function http2Origin(
  handler: (request: Http2Request) => void,
  options: ServerOptions | SecureServerOptions = {},
): Promise<Http2Origin> {
  const secure = 'cert' in options;
  const server: Http2Server = secure
    ? (createSecureServer(options) as unknown as Http2Server)
    : createServer(options);
  const requests: Http2Request[] = [];
  const sessions = new Set<ServerHttp2Session>();
  // A session that is destroyed may leave its socket open where the other side is gone.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    origin.connections++;
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, fields: unknown) => {
      stream.on('error', () => {});
      const request = { stream, headers, fields: fields as string[] };
      requests.push(request);
      handler(request);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const origin: Http2Origin = {
    port,
    url: `${secure ? 'h2' : 'h2c'}://127.0.0.1:${port}`,
    requests,
    sessions,
    connections: 0,
    close,
    [Symbol.asyncDispose]: close,
  };
  return origin;
}
