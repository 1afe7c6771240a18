import {
  connect as beginSession,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type Settings,
} from 'node:http2';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { connectFailure, type Endpoint } from '../http1/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { Deadline } from '../util/deadline.ts';
import { LinkedList } from '../util/linked-list.ts';
import { connectPlace } from '../util/unix-socket.ts';
import type { Http2ConnectionOwner } from './client-contract.ts';
import { MAX_FIELDS, MAX_HEAD } from './client-response-head.ts';
import { ClientStream } from './client-stream.ts';

const State = { connecting: 0, greeting: 1, open: 2, leaving: 3, closed: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** Requests under way on one connection, where the service allows as many: more would wait for each other in it. */
const MOST_STREAMS = 128;
/** Numbers of streams run out after 2^30 requests (RFC 9113 §5.1.1). */
const MOST_REQUESTS = 1_000_000_000;
/** Services end connections that bring too many resets (CVE-2023-44487), whoever gave the requests up: before that it is left. */
const MOST_RESETS = 200;
/** What a stream may bring before somebody reads it. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 2 * 1024 * 1024;
/** Megabytes that wait on one connection, uploads above all. */
const SESSION_MEMORY = 64;
/** Nothing was heard for so long, in ms: before more is entrusted to a connection it is asked whether it lives. */
const QUIET = 10_000;
/** How long it has to say so, in ms. */
const PING_PATIENCE = 5000;
/** The system asks whether the other machine is still there, in ms. */
const KEEP_ALIVE = 30_000;
/** What the service has to take the word that its connection ends, in ms. */
const LAST_WORDS = 5000;

/** Heads over the bounds are told apart, up to here, before they are refused: what is longer ends in a reset. */
const SPARE = 4;
const SETTINGS: Settings = {
  enablePush: false,
  initialWindowSize: STREAM_WINDOW,
  maxHeaderListSize: SPARE * MAX_HEAD,
};
const SESSION = {
  settings: SETTINGS,
  maxHeaderListPairs: SPARE * MAX_FIELDS,
  // Twice the same field is the service's and the client's affair, as in HTTP/1.1.
  strictSingleValueFields: false,
  maxSessionMemory: SESSION_MEMORY,
};

/**
 * One connection of HTTP/2 to a service (RFC 9113), over node:http2. It is open once the service has sent its
 * SETTINGS: then it is known to speak HTTP/2, and how many requests it takes at once; whatever goes wrong before is
 * a failure to connect, after which any request may be sent elsewhere.
 */
export class Http2ClientConnection {
  /** Of the requests it carries. */
  readonly scheme: 'http' | 'https';
  idleSince = 0;
  private readonly clock: Clock;
  private readonly owner: Http2ConnectionOwner;
  private readonly socket: Socket;
  private readonly deadline: Deadline;
  private readonly streams = new LinkedList<ClientStream>();
  private state: State = State.connecting;
  private session: ClientHttp2Session | null = null;
  private requests = 0;
  private resets = 0;
  /** As the service says (SETTINGS_MAX_CONCURRENT_STREAMS). */
  private limit = 0;
  /** The last stream that it may have done something about, once it has said so. */
  private lastStream = Number.POSITIVE_INFINITY;
  private heardAt = 0;
  /** By when it must have answered a PING; until it has, nothing more is entrusted to it. */
  private pinging: Timer | null = null;

  constructor(endpoint: Endpoint, connectTimeout: number, clock: Clock, owner: Http2ConnectionOwner) {
    this.scheme = endpoint.tls === null ? 'http' : 'https';
    this.clock = clock;
    this.owner = owner;
    this.deadline = new Deadline(clock, () => this.expired());
    this.deadline.set(clock.now() + connectTimeout);
    this.socket = this.connect(endpoint);
  }

  private connect({ address, port, tls }: Endpoint): Socket {
    const options: TcpNetConnectOpts = {
      ...(connectPlace(address, port) as { host: string; port: number }),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE,
    };
    const socket = tls === null ? connect(options) : connectTls({ ...options, ...tls } as ConnectionOptions);
    socket.once('connect', () => this.owner.reached(this));
    socket.once(tls === null ? 'connect' : 'secureConnect', () => this.connected());
    socket.on('error', (error: NodeJS.ErrnoException) => this.errored(error));
    socket.on('close', () => this.ended());
    return socket;
  }

  // --- Use. ---

  /** Requests that it carries. */
  get inFlight(): number {
    return this.streams.size;
  }

  get takesMore(): boolean {
    if (this.state !== State.open || this.pinging !== null || this.isEnding) return false;
    return this.streams.size < this.limit;
  }

  /** The service takes none at all for the moment. */
  get isShut(): boolean {
    return this.state === State.open && this.limit === 0;
  }

  /** How many it takes at once. */
  get places(): number {
    return this.limit;
  }

  /** A place for one request; only where it `takesMore`. */
  take(): ClientStream {
    const stream = new ClientStream(this, this.clock, this.requests > 0);
    this.streams.push(stream);
    this.deadline.clear();
    if (this.requests > 0 && this.clock.now() - this.heardAt >= QUIET) this.ping();
    if (++this.requests >= MOST_REQUESTS) this.leave();
    return stream;
  }

  /** For the stream that took a place. */
  begin(fields: Headers, options: ClientSessionRequestOptions): ClientHttp2Stream {
    return this.session!.request(fields, options);
  }

  /** The stream is over. */
  release(stream: ClientStream): void {
    if (!this.streams.remove(stream)) return;
    if (this.streams.size === 0) this.rest();
    this.owner.eased(this);
  }

  /** A request on it was given up. */
  wasReset(): void {
    if (++this.resets >= MOST_RESETS) this.leave();
  }

  private rest(): void {
    this.idleSince = this.clock.now();
    if (this.isEnding) this.leave();
    if (this.state !== State.leaving) return;
    this.session!.close();
    this.deadline.set(this.idleSince + LAST_WORDS);
  }

  /** Kept idle until `ms` have gone by. */
  keepIdle(ms: number): void {
    if (this.state === State.open && this.streams.size === 0) this.deadline.set(this.idleSince + ms);
  }

  /** It takes no more requests, and ends with the last of those under way. */
  close(): void {
    this.leave();
    this.session?.close();
  }

  /** Ends whatever is under way. */
  destroy(): void {
    this.socket.destroy();
  }

  // --- Does it live? ---

  /** Something came from the service. */
  heard(): void {
    this.heardAt = this.clock.now();
  }

  /** A request has waited in vain since then: is it just this one? */
  doubt(since: number): void {
    if (this.heardAt <= since) this.ping();
  }

  private ping(): void {
    if (this.pinging !== null || this.state !== State.open || this.isEnding) return;
    this.pinging = this.clock.after(PING_PATIENCE, () => {
      this.pinging = null;
      this.socket.destroy(new Error('no answer to a PING'));
    });
    this.session!.ping((error) => {
      if (this.pinging === null) return;
      this.stopPinging();
      if (error !== null) return;
      this.heard();
      this.owner.eased(this);
    });
  }

  private stopPinging(): void {
    if (this.pinging !== null) this.clock.cancel(this.pinging);
    this.pinging = null;
  }

  // --- What the service says. ---

  private connected(): void {
    if (this.state !== State.connecting) return;
    if (this.scheme === 'https' && (this.socket as TLSSocket).alpnProtocol !== 'h2')
      return this.refuse(new Failure('TG_UPSTREAM_TLS', 'it does not offer HTTP/2 (ALPN h2)'));
    this.state = State.greeting;
    const session = beginSession('http://service', { ...SESSION, createConnection: () => this.socket });
    this.session = session;
    session.on('remoteSettings', ({ maxConcurrentStreams }) => this.told(maxConcurrentStreams));
    session.on('goaway', (_code, lastStream) => this.goneAway(lastStream));
    session.on('error', (error: NodeJS.ErrnoException) => this.sessionFailed(error));
    session.on('close', () => this.ended());
  }

  private told(maxConcurrentStreams: number | undefined): void {
    this.limit = Math.min(maxConcurrentStreams ?? MOST_STREAMS, MOST_STREAMS);
    this.heard();
    if (this.state !== State.greeting) return this.owner.eased(this);
    this.state = State.open;
    this.session!.setLocalWindowSize(CONNECTION_WINDOW);
    this.deadline.clear();
    this.idleSince = this.heardAt;
    this.owner.opened(this);
  }

  /** Of what came after that stream the service has done nothing (RFC 9113 §6.8). */
  private goneAway(lastStream: number): void {
    this.lastStream = lastStream;
    // With an error it is the last that is read.
    this.salvage();
    this.leave();
  }

  /** Was nothing done about a stream of this number? One without has not even been sent. */
  passedOver(stream: number | undefined): boolean {
    return stream === undefined || stream > this.lastStream;
  }

  private leave(): void {
    if (this.state !== State.open) return;
    this.state = State.leaving;
    this.stopPinging();
    if (this.streams.size === 0) this.rest();
    this.owner.leaving(this);
  }

  // --- Its end. ---

  /** The connection itself has ended, not just one stream on it. */
  get isLost(): boolean {
    return this.session!.destroyed;
  }

  /** node:http2 lets no more requests on it, whatever the reason; its socket may take a while to follow. */
  private get isEnding(): boolean {
    return this.session!.closed || this.session!.destroyed;
  }

  private errored(error: NodeJS.ErrnoException): void {
    if (this.state === State.connecting) return this.refuse(connectFailure(error));
    if (this.state === State.greeting) return this.refuse(new Failure('TG_UPSTREAM_REFUSED', error.message));
    this.salvage();
  }

  private sessionFailed(error: NodeJS.ErrnoException): void {
    if (this.state !== State.greeting) return;
    const cause =
      error.code === 'ERR_HTTP2_ERROR' ? `it does not speak HTTP/2: ${error.message}` : error.message;
    this.refuse(new Failure('TG_UPSTREAM_REFUSED', cause));
  }

  /** What has come whole must not go with the connection. */
  private salvage(): void {
    for (const stream of [...this.streams]) stream.salvage();
  }

  private refuse(failure: Failure): void {
    this.state = State.closed;
    this.deadline.close();
    this.socket.destroy();
    this.owner.refused(this, failure);
  }

  /** The socket is closed, or soon will be. */
  private ended(): void {
    if (this.state === State.closed) return;
    if (this.state < State.open) return this.refuse(new Failure('TG_UPSTREAM_REFUSED', 'connection ended'));
    this.salvage();
    this.leave();
    if (!this.socket.destroyed) return;
    this.state = State.closed;
    this.deadline.close();
    this.owner.closed(this);
  }

  private expired(): void {
    if (this.state < State.open)
      return this.refuse(new Failure('TG_UPSTREAM_CONNECT_TIMEOUT', 'no connection and SETTINGS in time'));
    if (this.streams.size > 0) return;
    if (this.state === State.open) this.close();
    else this.destroy();
  }
}
