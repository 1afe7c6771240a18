import type { Socket } from 'node:net';
import { type HostCertificate, NO_PROOFS, type Proofs } from '../acme/index.ts';
import type { ListenerConfig } from '../config/model.ts';
import {
  type AcceptHttp2,
  Listener,
  type ListenerSettings,
  type NodeClients,
  type RequestHandler,
} from '../http1/index.ts';
import { Http2ServerConnection } from '../http2/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Unfinished } from '../util/unfinished.ts';
import { BACKLOG, type ListeningHandle } from '../workers/index.ts';

/** How often it is looked whether what is under way has ended; ms. */
const DRAIN_CHECK = 20;

export interface DoorParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where requests go. */
  readonly handler: RequestHandler;
  /** Null: this process alone accepts on its listeners. */
  readonly nodeClients: NodeClients | null;
  /** What goes on for clients that have left. */
  readonly unfinished: Unfinished;
}

/** The listeners of a gateway, open or about to end, and what they show to clients. */
export class Doors {
  private readonly parts: DoorParts;
  private config: readonly ListenerConfig[];
  private readonly open = new Map<string, Listener>();
  /** Closed for new connections, with some still open. */
  private readonly leaving = new Set<Listener>();
  /** By host, those that the node got by itself. */
  private certificates: ReadonlyMap<string, HostCertificate> = new Map();
  private proofs = NO_PROOFS;

  constructor(config: readonly ListenerConfig[], parts: DoorParts) {
    this.config = config;
    this.parts = parts;
  }

  /** `where`: a handle that listens, or an address to listen on. Resolves when connections are accepted. */
  listen(name: string, where: ListeningHandle | { host: string; port: number }): Promise<void> {
    const { server } = this.named(name);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      const done = () => {
        server.off('error', reject);
        server.on('error', (error) =>
          this.parts.log.error('a listener failed', { listener: name, error: error.message }),
        );
        resolve();
      };
      if ('host' in where) server.listen({ ...where, backlog: BACKLOG }, done);
      // A handle brings its own backlog along only on some systems.
      else server.listen(where, BACKLOG, done);
    });
  }

  /** The port a listener is on. */
  port(name: string): number {
    const address = this.open.get(name)?.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Takes a connection that another process accepted. */
  take(name: string, socket: Socket): void {
    this.named(name).server.emit('connection', socket);
    socket.resume();
  }

  /** Accepts no more; what is under way goes on. */
  close(name: string): void {
    const listener = this.open.get(name);
    if (listener === undefined) return;
    this.open.delete(name);
    this.leaving.add(listener);
    listener.drain();
  }

  /** Takes over what another config says of those that stay. */
  update(config: readonly ListenerConfig[]): void {
    this.config = config;
    for (const listener of config) this.open.get(listener.name)?.update(this.settingsOf(listener));
  }

  /** All certificates that the node got by itself: they are shown from the next handshake on. */
  showCertificates(all: readonly HostCertificate[]): void {
    this.certificates = new Map(all.map((certificate) => [certificate.host, certificate]));
    for (const listener of this.config)
      if (listener.tls?.acme != null) this.open.get(listener.name)?.update(this.settingsOf(listener));
  }

  /** What an authority looks for now, in handshakes to come. */
  prove(proofs: Proofs): void {
    this.proofs = proofs;
    for (const listener of this.open.values()) listener.prove(proofs.tls);
  }

  connections(): number {
    return this.all().reduce((sum, listener) => sum + listener.connections.size, 0);
  }

  /**
   * Closes all. What is under way, be its client there or not, has until `until()` (`clock.now()`); then it is cut, and
   * counted.
   */
  async drain(until: () => number): Promise<{ cut: number }> {
    const { clock, unfinished } = this.parts;
    for (const name of [...this.open.keys()]) this.close(name);
    while ((this.busy() || unfinished.count > 0) && clock.now() < until())
      await new Promise<void>((resolve) => setTimeout(resolve, DRAIN_CHECK));
    let cut = unfinished.count;
    for (const listener of this.all()) {
      for (const connection of [...listener.connections]) {
        if (!connection.ending && !connection.idle) cut++;
        connection.destroy();
      }
    }
    return { cut };
  }

  /** Is something under way on any connection? */
  private busy(): boolean {
    return this.all().some(({ connections }) => [...connections].some(({ ending }) => !ending));
  }

  private all(): Listener[] {
    for (const listener of this.leaving) if (listener.connections.size === 0) this.leaving.delete(listener);
    return [...this.open.values(), ...this.leaving];
  }

  private named(name: string): Listener {
    const existing = this.open.get(name);
    if (existing !== undefined) return existing;
    const config = this.config.find((listener) => listener.name === name);
    if (config === undefined) throw new RangeError(`the config has no listener "${name}"`);
    const { clock, handler, nodeClients } = this.parts;
    const listener = new Listener(name, this.settingsOf(config), clock, handler, speakHttp2, nodeClients);
    listener.prove(this.proofs.tls);
    this.open.set(name, listener);
    return listener;
  }

  /** What a listener is and shows, certificates among it that no file holds. */
  private settingsOf(listener: ListenerConfig): ListenerSettings {
    const { tls } = listener;
    if (tls?.acme == null) return listener;
    const { hosts } = tls.acme;
    const certificates = hosts.map((host) => this.certificates.get(host)).filter((one) => one !== undefined);
    const awaited = hosts.filter((host) => !this.certificates.has(host));
    return { ...listener, tls: { ...tls, certificates, awaited } };
  }
}

/** Its connection belongs to the listener. */
const speakHttp2: AcceptHttp2 = (socket, origin, context) => {
  new Http2ServerConnection(socket, origin, context);
};
