import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Failure } from '../http/errors.ts';
import type { ClientCertificate, Exchange, Origin, Reply } from '../http/exchange.ts';
import type { Clock } from '../util/clock.ts';
import { LinkedList } from '../util/linked-list.ts';
import { clientCertificate } from './client-certificate.ts';
import { ClientCount, type NodeClients } from './client-count.ts';
import { Greetings, type ProofCertificates } from './greetings.ts';
import { Opening } from './opening.ts';
import { readInto } from './read-into.ts';
import { ServerConnection, SHARED_MEMORY } from './server-connection.ts';
import type { OpenConnection, ServerContext, ServerLimits } from './server-context.ts';
import { HTTP1, HTTP2, ServerTls, type TlsSettings } from './server-tls.ts';

export interface ListenerSettings {
  limits: ServerLimits & { connectionsPerClient: number };
  tls: TlsSettings | null;
  /** HTTP/2 is spoken with who asks for it: in the TLS handshake, or by its first bytes (RFC 9113 §3). */
  http2: boolean;
}

/** Where the requests of a listener go. */
export interface RequestHandler {
  handle(exchange: Exchange): void;
  /** The answer to what could not be read as a request. */
  refuse(exchange: Exchange, failure: Failure): Reply;
}

/** Takes over a connection whose client speaks HTTP/2; nothing has been read of it. */
export type AcceptHttp2 = (socket: Socket, origin: Origin, context: ServerContext) => void;

/** One connection's own things, hung on its socket so that the handlers can be shared by all sockets. */
const CONNECTION = Symbol('connection');
type ServerSocket = Socket & { [CONNECTION]?: ServerConnection };

interface RunningTls {
  readonly shown: ServerTls;
  readonly server: TlsServer;
  readonly greetings: Greetings;
}

/** One listener: a server of plain or TLS sockets, and the HTTP/1.1 connections on them. */
export class Listener implements ServerContext {
  readonly name: string;
  readonly clock: Clock;
  readonly server: Server;
  readonly connections = new LinkedList<OpenConnection>();
  limits: ListenerSettings['limits'];
  draining = false;
  private http2: boolean;
  private readonly acceptHttp2: AcceptHttp2;
  private readonly handler: RequestHandler;
  private readonly clients: ClientCount;
  private tls: RunningTls | null;
  private proofs: ProofCertificates = {};

  constructor(
    name: string,
    settings: ListenerSettings,
    clock: Clock,
    handler: RequestHandler,
    acceptHttp2: AcceptHttp2,
    nodeClients: NodeClients | null = null,
  ) {
    this.name = name;
    this.clients = new ClientCount(name, nodeClients);
    this.clock = clock;
    this.handler = handler;
    this.limits = settings.limits;
    this.clients.bound(settings.limits.connectionsPerClient);
    this.http2 = settings.http2;
    this.acceptHttp2 = acceptHttp2;
    this.tls = settings.tls === null ? null : this.startTls(settings.tls);
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.welcome(socket));
  }

  /**
   * Takes over limits and certificates for connections to come; what is open keeps its certificate. Where TLS begins or
   * ends, connections of the other kind end when what is under way on them has been answered.
   */
  update({ limits, tls, http2 }: ListenerSettings): void {
    this.limits = limits;
    this.clients.bound(limits.connectionsPerClient);
    this.http2 = http2;
    if (tls !== null && this.tls !== null) {
      this.tls.shown.update(this.tls.server, tls, this.protocols());
      this.tls.greetings.refuse(tls.awaited ?? []);
    } else if (tls !== null || this.tls !== null) {
      this.tls = tls === null ? null : this.startTls(tls);
      for (const connection of [...this.connections]) connection.drain();
    }
  }

  /** What an authority looks for now, in handshakes to come. */
  prove(proofs: ProofCertificates): void {
    this.proofs = proofs;
    this.tls?.greetings.prove(proofs);
  }

  /** Accepts no more; connections end when what is under way on them has been answered. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.server.close();
    for (const connection of [...this.connections]) connection.drain();
  }

  handle(exchange: Exchange): void {
    this.handler.handle(exchange);
  }

  refuse(exchange: Exchange, failure: Failure): Reply {
    return this.handler.refuse(exchange, failure);
  }

  /** Whoever connects is counted before anything of it is read. */
  private welcome(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    if (address === null || !this.clients.admit(socket, address)) return void socket.destroy();
    if (this.tls === null) return this.accept(socket, 'http');
    const { server, greetings } = this.tls;
    // Half open not before the handshake is done: whoever closes its side in it will never end it, and must not keep its place.
    socket.allowHalfOpen = false;
    greetings.take(socket, () => server.emit('connection', socket));
  }

  /** Its server does not listen itself: it is given the sockets that speak TLS. */
  private startTls(tls: TlsSettings): RunningTls {
    const shown = new ServerTls(tls, this.protocols());
    const handshakeTimeout = Math.min(this.limits.headTimeout, LONGEST_HANDSHAKE);
    const server = createTlsServer({ ...shown.options, handshakeTimeout }, (socket) => {
      socket.allowHalfOpen = true;
      this.acceptTls(socket);
    });
    // A client that breaks off its handshake concerns nobody else.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    const greetings = new Greetings(this.clock, handshakeTimeout);
    greetings.refuse(tls.awaited ?? []);
    greetings.prove(this.proofs);
    return { shown, server, greetings };
  }

  private protocols(): string[] {
    return this.http2 ? [HTTP2, HTTP1] : [HTTP1];
  }

  /** A certificate that nobody vouches for is worse than none: it says that something is wrong. */
  private acceptTls(socket: TLSSocket): void {
    const certificate = clientCertificate(socket);
    if (certificate === null) return this.accept(socket, 'https');
    if (!socket.authorized) return void socket.destroy();
    this.accept(socket, 'https', certificate);
  }

  private accept(
    socket: ServerSocket,
    scheme: 'http' | 'https',
    certificate: ClientCertificate | null = null,
  ): void {
    const address = plainAddress(socket.remoteAddress);
    // Without an address it is gone before it was looked at.
    if (address === null) return void socket.destroy();
    const origin: Origin = {
      listener: this.name,
      scheme,
      address,
      port: socket.localPort ?? 0,
      ...(certificate === null ? {} : { certificate }),
    };
    if ((socket as Partial<TLSSocket>).alpnProtocol === HTTP2) return this.acceptHttp2(socket, origin, this);
    const connection = new ServerConnection(socket, origin, this);
    // Over TLS it is agreed on in the handshake, or not spoken (RFC 9113 §3.2).
    if (this.http2 && scheme === 'http')
      connection.opening = new Opening((read) => this.takeHttp2(socket, origin, read));
    socket[CONNECTION] = connection;
    socket.on('error', onClose);
    socket.on('close', onClose);
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    // TLS decrypts into memory of its own.
    if (scheme === 'https' || !readInto(socket, SHARED_MEMORY, connection.nextMemory, onRead))
      socket.on('data', onData);
  }

  /** Who knows that HTTP/2 is spoken here begins with its preface (RFC 9113 §3.3, §3.4). */
  private takeHttp2(socket: ServerSocket, origin: Origin, read: Buffer): void {
    socket[CONNECTION]!.release();
    socket.off('error', onClose).off('close', onClose).off('end', onEnd).off('drain', onDrain);
    socket.off('data', onData);
    if (socket.readableFlowing) socket.pause();
    socket.unshift(Buffer.from(read));
    this.acceptHttp2(socket, origin, this);
  }
}

const LONGEST_HANDSHAKE = 120_000;

function plainAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function onRead(this: ServerSocket, size: number, memory: Buffer): void {
  this[CONNECTION]!.read(size, memory);
}

function onData(this: ServerSocket, chunk: Buffer): void {
  this[CONNECTION]!.received(chunk);
}

function onDrain(this: ServerSocket): void {
  this[CONNECTION]!.drained();
}

function onEnd(this: ServerSocket): void {
  this[CONNECTION]!.ended();
}

function onClose(this: ServerSocket): void {
  this[CONNECTION]!.closed();
}
