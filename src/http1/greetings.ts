import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server } from 'node:tls';
import type { Clock } from '../util/clock.ts';
import { type ClientHello, readClientHello } from './client-hello.ts';

/** PEM text, by the host that an authority asks for. */
export type ProofCertificates = Readonly<Record<string, { readonly cert: string; readonly key: string }>>;

/** Spoken by authorities that look for a proof, and by nobody else (RFC 8737 §4). */
const PROOF_PROTOCOL = 'acme-tls/1';
/** A fatal alert of its own record: unrecognized_name (RFC 6066 §3, RFC 8446 §6). */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/**
 * What has to be decided by a client's greeting as a whole, which Node tells only in parts: the name it asks for before
 * what it would speak, and no way to refuse by the name alone. It is read only while there is something to decide;
 * everybody else's goes on, untouched, to the server that it is for.
 */
export class Greetings {
  private readonly clock: Clock;
  /** To the end of a greeting, ms. */
  private readonly patience: number;
  private proofs: ReadonlyMap<string, SecureContext> = new Map();
  private awaited: ReadonlySet<string> = new Set();
  /** Made when something is to be shown first. */
  private proofServer: Server | null = null;

  constructor(clock: Clock, patience: number) {
    this.clock = clock;
    this.patience = patience;
  }

  /** Shows these, and no others, to an authority that looks whether a host is the gateway's (RFC 8737 §3). */
  prove(proofs: ProofCertificates): void {
    this.proofs = new Map(Object.entries(proofs).map(([host, pair]) => [host, createSecureContext(pair)]));
    if (this.proofs.size > 0) this.proofServer ??= this.newProofServer();
  }

  /** Refuses these names, and no others: there is no certificate for them yet. */
  refuse(names: readonly string[]): void {
    this.awaited = new Set(names);
  }

  /** A connection that nothing was read of; `pass` takes it where there is nothing to decide. */
  take(socket: Socket, pass: () => void): void {
    if (this.proofs.size === 0 && this.awaited.size === 0) return pass();
    let seen: Buffer = Buffer.alloc(0);
    const timer = this.clock.after(this.patience, () => socket.destroy());
    const settle = () => {
      this.clock.cancel(timer);
      socket.off('data', read).off('error', ignore).off('close', settle).off('end', destroy);
    };
    const read = (chunk: Buffer) => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const hello = readClientHello(seen);
      if (hello === 'incomplete') return;
      settle();
      socket.pause();
      socket.unshift(seen);
      this.decide(hello, socket, pass);
    };
    const destroy = () => socket.destroy();
    socket.on('data', read).on('error', ignore).on('close', settle).on('end', destroy);
  }

  private decide(hello: ClientHello | null, socket: Socket, pass: () => void): void {
    const name = hello?.serverName ?? '';
    if (this.proofs.has(name) && hello!.protocols.length === 1 && hello!.protocols[0] === PROOF_PROTOCOL)
      this.proofServer!.emit('connection', socket);
    else if (this.awaited.has(name)) refuse(socket);
    else pass();
  }

  private newProofServer(): Server {
    const options = {
      handshakeTimeout: this.patience,
      ALPNProtocols: [PROOF_PROTOCOL],
      SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
        done(null, this.proofs.get(name.toLowerCase())),
    };
    // There is nothing to say: the handshake is the answer.
    const server = createServer(options, (socket) => socket.on('error', ignore).end());
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}

function refuse(socket: Socket): void {
  socket.on('error', ignore);
  socket.end(UNRECOGNIZED_NAME, () => socket.destroy());
}

function ignore(): void {}
