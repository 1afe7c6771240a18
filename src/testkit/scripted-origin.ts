import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { ByteReader, type Ending, show, Truncated } from './byte-reader.ts';
import { type Pairs, type RawRequestHead, readRequestBody, readRequestHead } from './message-reader.ts';
import { writeAll } from './socket-write.ts';
import { PATIENCE, turn, within } from './waiting.ts';

/** A request as the origin got it. */
export interface ReceivedRequest extends RawRequestHead {
  /** Empty until the body is complete; see `complete`. */
  body: Buffer;
  trailers: Pairs;
  /** The exact bytes; the head alone until the body is complete. */
  raw: Buffer;
  /** Which of `origin.connections` it came on. */
  connection: OriginConnection;
  /** Whether its body came whole: false once the connection broke off in it. */
  complete: Promise<boolean>;
}

/** What an origin does with a request: bytes to send once the request is whole, or a function that acts. */
export type Script = string | Buffer | ((exchange: OriginExchange) => void | Promise<void>);

/** One connection to the origin. */
export class OriginConnection {
  readonly socket: Socket;
  /** What the other side sends; for scripts that took the connection over. */
  readonly reader = new ByteReader();
  readonly requests: ReceivedRequest[] = [];
  takenOver = false;
  private readonly allBytes: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.allBytes.push(chunk);
      this.reader.push(chunk);
    });
    socket.on('end', () => this.reader.end('fin'));
    socket.on('error', () => this.reader.end('reset'));
    socket.on('close', () => this.reader.end('reset'));
  }

  /** Every byte received on this connection, in order. */
  get received(): Buffer {
    return Buffer.concat(this.allBytes);
  }

  /** Sends bytes as they are; resolves once the system has them, or the connection is gone. */
  async send(bytes: string | Buffer): Promise<void> {
    await writeAll(this.socket, bytes);
  }

  /** Sends byte by byte, each in a packet of its own; `size` bytes at a time. */
  async drip(bytes: string | Buffer, size = 1): Promise<void> {
    const whole = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    for (let at = 0; at < whole.length; at += size) {
      await this.send(whole.subarray(at, at + size));
      await turn();
    }
  }

  /** Half-closes, after everything sent so far. */
  end(): void {
    this.socket.end();
  }

  /** Ends with a RST, after everything sent so far has been handed to the system. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** How the other side ended the connection, once it has. */
  async closed(ms = PATIENCE): Promise<Ending> {
    const what = () => `the connection to the origin stays open; it received ${show(this.received)}`;
    return await within(this.reader.closed(), what, ms);
  }
}

/** One request in the hands of a script. */
export class OriginExchange {
  readonly request: ReceivedRequest;
  readonly connection: OriginConnection;

  constructor(request: ReceivedRequest, connection: OriginConnection) {
    this.request = request;
    this.connection = connection;
  }

  async send(bytes: string | Buffer): Promise<void> {
    await this.connection.send(bytes);
  }

  /** The request's body, once it is whole; fails where it broke off. */
  async body(): Promise<Buffer> {
    if (!(await this.request.complete)) throw new Error('the request broke off in its body');
    return this.request.body;
  }

  /** From here on the bytes of the connection belong to the script: an upgrade. */
  takeOver(): ByteReader {
    this.connection.takenOver = true;
    return this.connection.reader;
  }
}

export interface ScriptedOriginOptions {
  /** Serves TLS. */
  tls?: TlsOptions;
  /** Default: any free port. */
  port?: number;
}

/**
 * A service on a raw socket: it records the exact bytes it gets and answers as its script says. Given a
 * list, the nth request (over all connections) gets the nth script; the last one goes on for the rest.
 */
export class ScriptedOrigin {
  readonly port: number;
  readonly connections: OriginConnection[] = [];
  readonly requests: ReceivedRequest[] = [];
  /** What the other side sent that is no valid HTTP/1.1, or why a script failed. A test expects none. */
  readonly violations: string[] = [];
  private readonly server: Server;
  /** Also those whose TLS handshake never ended. */
  private readonly sockets = new Set<Socket>();
  private readonly waiting: (() => void)[] = [];
  private scripts: readonly Script[];
  private begun = 0;
  private handedHeads = 0;
  private handedRequests = 0;

  constructor(server: Server, script: Script | readonly Script[]) {
    this.server = server;
    this.scripts = asList(script);
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces the script for the requests that begin from now on. */
  answerWith(script: Script | readonly Script[]): void {
    this.scripts = asList(script);
    this.begun = 0;
  }

  /** The next request not yet given out here, once its head has come. */
  async nextHead(ms = PATIENCE): Promise<ReceivedRequest> {
    const wanted = this.handedHeads++;
    return await within(this.requestAt(wanted), () => this.missing(wanted), ms);
  }

  /** The next request not yet given out here, once all of it has come. */
  async nextRequest(ms = PATIENCE): Promise<ReceivedRequest> {
    const wanted = this.handedRequests++;
    const whole = this.requestAt(wanted).then(async (request) => {
      await request.complete;
      return request;
    });
    return await within(whole, () => this.missing(wanted), ms);
  }

  /** The nth connection (from 0), once it has been made. */
  async connectionAt(index: number, ms = PATIENCE): Promise<OriginConnection> {
    const made = this.when(() => this.connections[index]);
    return await within(made, () => `${this.connections.length} connections were made, not ${index + 1}`, ms);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.socket.destroy();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes a new connection in; for the server that listens. */
  accept(socket: Socket): void {
    const connection = new OriginConnection(socket);
    this.connections.push(connection);
    this.tell();
    this.serve(connection).catch((error: unknown) => {
      // A connection may end between two requests; within one the request's `complete` tells.
      if (error instanceof Truncated) {
        connection.end();
        return;
      }
      this.violations.push(error instanceof Error ? error.message : String(error));
      connection.socket.destroy();
    });
  }

  private async serve(connection: OriginConnection): Promise<void> {
    while (!connection.takenOver) {
      const recorded = connection.reader.record();
      const head = await readRequestHead(connection.reader);
      const request: ReceivedRequest = {
        ...head,
        body: Buffer.alloc(0),
        trailers: [],
        raw: recorded(),
        connection,
        complete: Promise.resolve(true),
      };
      request.complete = this.finish(request);
      connection.requests.push(request);
      this.requests.push(request);
      const script = this.scripts[Math.min(this.begun++, this.scripts.length - 1)]!;
      this.tell();
      await Promise.all([request.complete, this.run(script, new OriginExchange(request, connection))]);
    }
  }

  private async finish(request: ReceivedRequest): Promise<boolean> {
    const recorded = request.connection.reader.record();
    const head = request.raw;
    try {
      Object.assign(request, await readRequestBody(request.connection.reader, request));
      return true;
    } catch (error) {
      if (!(error instanceof Truncated)) throw error;
      return false;
    } finally {
      request.raw = Buffer.concat([head, recorded()]);
    }
  }

  private async run(script: Script, exchange: OriginExchange): Promise<void> {
    if (typeof script === 'function') return await script(exchange);
    if (await exchange.request.complete) await exchange.send(script);
  }

  private async requestAt(index: number): Promise<ReceivedRequest> {
    return await this.when(() => this.requests[index]);
  }

  private async when<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private missing(wanted: number): string {
    const got = this.connections.map((connection) => show(connection.received)).join('; ');
    return `request ${wanted + 1} did not reach the origin; it has ${this.connections.length} connections, which brought: ${got}`;
  }
}

function asList(script: Script | readonly Script[]): readonly Script[] {
  return Array.isArray(script) ? script : [script as Script];
}

/** Starts a scripted origin on a free port. */
export async function scriptedOrigin(
  script: Script | readonly Script[] = answer(200, [], 'ok'),
  options: ScriptedOriginOptions = {},
): Promise<ScriptedOrigin> {
  let origin: ScriptedOrigin | undefined;
  const accept = (socket: Socket) => origin?.accept(socket);
  const server =
    options.tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true }, accept)
      : createTlsServer({ ...options.tls, allowHalfOpen: true, noDelay: true }, accept);
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  origin = new ScriptedOrigin(server, script);
  return origin;
}

/** The bytes of a plain answer, framed by its length. */
export function answer(status: number, headers: Pairs = [], body = ''): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} Answer\r\n${lines}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
