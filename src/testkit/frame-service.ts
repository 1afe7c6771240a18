import { createServer, type Server, type Socket } from 'node:net';
import {
  type Frame,
  FrameFlag,
  FrameType,
  frame,
  PREFACE,
  readFrames,
  settingsFrame,
} from './http2-frames.ts';
import { until } from './waiting.ts';

/** A request that a service of frames got: its HEADERS, unread. */
export interface FrameRequest {
  readonly connection: FrameConnection;
  readonly stream: number;
  /** Of all that the service got, from 0. */
  readonly number: number;
}

export interface FrameServiceOptions {
  /** Told by its SETTINGS. */
  settings?: Readonly<Record<number, number>>;
  /** It says nothing by itself, not even its SETTINGS. */
  mute?: boolean;
  /** It answers no PING. */
  deaf?: boolean;
  /** It does not close a connection that the other side has closed. */
  halfOpen?: boolean;
}

/** One connection to it. */
export class FrameConnection {
  readonly socket: Socket;
  /** Whatever came, in order. */
  readonly frames: Frame[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  send(...frames: Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** What came of a kind, on one stream or any. */
  of(type: number, stream?: number): Frame[] {
    return this.frames.filter((one) => one.type === type && (stream === undefined || one.stream === stream));
  }

  /** The code with which the other side reset a stream, once it has. */
  resetCode(stream: number): Promise<number> {
    const found = () => this.of(FrameType.reset, stream)[0]?.payload.readUInt32BE(0);
    return until(found, `a reset of stream ${stream}`);
  }
}

/** A service that speaks HTTP/2 frame by frame, as its script says. */
export class FrameService {
  readonly port: number;
  readonly connections: FrameConnection[] = [];
  readonly requests: FrameRequest[] = [];
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as { port: number }).port;
  }

  get url(): string {
    return `h2c://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Starts one on a free port. @param script What it does with each request, as its head comes. */
export async function frameService(
  script: (request: FrameRequest) => void,
  options: FrameServiceOptions = {},
): Promise<FrameService> {
  let service: FrameService | undefined;
  const { halfOpen = false } = options;
  const server = createServer({ noDelay: true, allowHalfOpen: halfOpen }, (socket) =>
    accept(service!, socket, script, options),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  service = new FrameService(server);
  return service;
}

function accept(
  service: FrameService,
  socket: Socket,
  script: (request: FrameRequest) => void,
  options: FrameServiceOptions,
): void {
  const connection = new FrameConnection(socket);
  service.connections.push(connection);
  if (options.mute !== true) connection.send(settingsFrame(options.settings));
  let unread: Buffer = Buffer.alloc(0);
  let greeted = false;
  socket.on('data', (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    if (!greeted && unread.length < PREFACE.length) return;
    if (!greeted) unread = unread.subarray(PREFACE.length);
    greeted = true;
    const { frames, rest } = readFrames(unread);
    unread = rest;
    for (const one of frames) {
      connection.frames.push(one);
      if (options.mute !== true) acknowledge(connection, one, options.deaf === true);
      if (one.type !== FrameType.headers) continue;
      const request = { connection, stream: one.stream, number: service.requests.length };
      service.requests.push(request);
      script(request);
    }
  });
}

/** RFC 9113 §6.5.3, §6.7. */
function acknowledge(connection: FrameConnection, { type, flags, payload }: Frame, deaf: boolean): void {
  if ((flags & FrameFlag.ack) !== 0) return;
  if (type === FrameType.settings) connection.send(frame(FrameType.settings, FrameFlag.ack, 0));
  if (type === FrameType.ping && !deaf) connection.send(frame(FrameType.ping, FrameFlag.ack, 0, payload));
}
