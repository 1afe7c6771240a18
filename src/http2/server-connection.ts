import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Origin } from '../http/exchange.ts';
import type { OpenConnection, ServerContext } from '../http1/index.ts';
import { Deadline } from '../util/deadline.ts';
import { type Linked, LinkedList } from '../util/linked-list.ts';
import { BegunHeads } from './server-begun-heads.ts';
import { ServerStream } from './server-stream.ts';

/** Requests that one client may have under way on one connection. */
const MOST_STREAMS = 128;
/** What a stream may bring before somebody reads it; several that nobody reads don't stop the others. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 2 * 1024 * 1024;
/** What a client has to take the word that its connection ends. */
const LAST_WORDS = 5000;
/** Lines that are told apart before they are counted: what is too many is answered by 431, not by a reset. */
const SPARE_LINES = 400;

/**
 * One client's HTTP/2 connection (RFC 9113), over node:http2: each stream becomes an Exchange. Floods of resets,
 * settings and pings end it in the library below.
 */
export class Http2ServerConnection implements OpenConnection {
  after: Linked | null = null;
  before: Linked | null = null;
  readonly origin: Origin;
  readonly context: ServerContext;
  private readonly socket: Socket;
  private readonly session: ServerHttp2Session;
  private readonly streams = new LinkedList<ServerStream>();
  private readonly deadline: Deadline;
  private readonly heads: BegunHeads;
  private leaving = false;
  /** The client has said its first word. */
  private greeted = false;

  constructor(socket: Socket, origin: Origin, context: ServerContext) {
    const { limits, clock } = context;
    this.origin = origin;
    this.context = context;
    this.deadline = new Deadline(clock, () => this.expired());
    this.socket = socket;
    // A client that has closed its side takes no more answers.
    socket.allowHalfOpen = false;
    this.session = performServerHandshake(socket, {
      // Twice the same field is the service's and the client's affair, as in HTTP/1.1.
      strictSingleValueFields: false,
      maxHeaderListPairs: limits.headers + SPARE_LINES,
      settings: {
        maxConcurrentStreams: MOST_STREAMS,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: limits.head,
      },
    });
    this.session.setLocalWindowSize(CONNECTION_WINDOW);
    this.session.on('stream', (stream, _headers, _flags, fields) => this.stream(stream, fields as string[]));
    // Told by `close`.
    this.session.on('error', () => {});
    this.session.on('close', () => this.closed());
    this.session.once('remoteSettings', () => this.rest());
    this.heads = new BegunHeads(
      this.session,
      clock,
      () => context.limits.headTimeout,
      () => this.headExpired(),
    );
    context.connections.push(this);
    this.deadline.set(clock.now() + limits.headTimeout);
  }

  get idle(): boolean {
    return this.streams.size === 0;
  }

  get ending(): boolean {
    return this.leaving && this.streams.size === 0;
  }

  /** No more requests (GOAWAY); what is under way is answered. */
  drain(): void {
    this.leaving = true;
    if (!this.session.closed) this.session.close();
    if (this.streams.size === 0) this.awaitEnd();
  }

  /** Ends whatever is under way. */
  destroy(): void {
    for (const stream of [...this.streams]) stream.destroy();
    this.session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
    this.awaitEnd();
  }

  /** node:http2 leaves it to the client to close the connection, which goes whether or not that hears of it. */
  private awaitEnd(): void {
    this.deadline.set(this.context.clock.now() + LAST_WORDS);
  }

  left(stream: ServerStream): void {
    this.streams.remove(stream);
    this.rest();
  }

  /** Nothing is under way: how long will it be kept? */
  private rest(): void {
    if (this.streams.size > 0 || this.session.destroyed) return;
    this.greeted = true;
    if (this.leaving) return this.awaitEnd();
    const { clock, limits } = this.context;
    this.deadline.set(clock.now() + limits.idleTimeout);
  }

  private stream(stream: ServerHttp2Stream, fields: string[]): void {
    this.heads.came(stream.id!);
    const one = new ServerStream(stream, this);
    this.streams.push(one);
    this.deadline.clear();
    one.begin(fields);
  }

  private expired(): void {
    if (this.streams.size > 0) return;
    if (this.leaving || !this.greeted) this.socket.destroy();
    else this.drain();
  }

  /** No other stream can go on: all that comes is taken for the rest of that head. */
  private headExpired(): void {
    this.session.destroy(new Error('a head took too long'), constants.NGHTTP2_PROTOCOL_ERROR);
  }

  private closed(): void {
    this.leaving = true;
    this.heads.close();
    for (const stream of this.streams) this.streams.remove(stream);
    this.deadline.close();
    this.context.connections.remove(this);
  }
}
