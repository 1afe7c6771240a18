import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Side = 'client' | 'server';

interface Pair {
  client: Socket;
  server: Socket;
}

/**
 * A TCP proxy whose line a test can freeze, slow down, cut or reset: put between two parties to see
 * what each does when the network fails. Passes half-closes on.
 */
export class CuttingProxy {
  readonly port: number;
  /** Connections made through it so far. */
  made = 0;
  private readonly server: Server;
  private readonly target: number;
  private readonly pairs = new Set<Pair>();
  private frozen = false;
  private refusing = false;
  private bytesPerSecond = Number.POSITIVE_INFINITY;

  constructor(server: Server, target: number) {
    this.server = server;
    this.target = target;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Connections open now. */
  get open(): number {
    return this.pairs.size;
  }

  /** No byte moves any more, and nobody is told. New connections are accepted and stay silent. */
  freeze(): void {
    this.frozen = true;
    for (const { client, server } of this.pairs) {
      client.pause();
      server.pause();
    }
  }

  thaw(): void {
    this.frozen = false;
    for (const { client, server } of this.pairs) {
      client.resume();
      server.resume();
    }
  }

  /** At most so many bytes a second and direction. */
  slow(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Ends all connections with FIN, both ways. */
  cut(): void {
    for (const { client, server } of this.pairs) {
      client.end();
      server.end();
      client.destroySoon();
      server.destroySoon();
    }
  }

  /** Ends all connections with RST, both ways. */
  reset(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** New connections are reset at once, until `accept`. */
  refuse(): void {
    this.refusing = true;
  }

  accept(): void {
    this.refusing = false;
  }

  async close(): Promise<void> {
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes a new connection in; for the server that listens. */
  take(client: Socket): void {
    if (this.refusing) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    this.made += 1;
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = { client, server };
    this.pairs.add(pair);
    this.join(pair, 'client');
    this.join(pair, 'server');
    if (this.frozen) {
      client.pause();
      server.pause();
    }
  }

  private join(pair: Pair, side: Side): void {
    const from = pair[side];
    const to = side === 'client' ? pair.server : pair.client;
    from.on('data', (chunk) => this.pass(from, to, chunk));
    from.on('end', () => to.end());
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      this.pairs.delete(pair);
      if (!to.writableEnded) to.destroy();
    });
  }

  private pass(from: Socket, to: Socket, chunk: Buffer): void {
    const delay = (chunk.length / this.bytesPerSecond) * 1000;
    const room = to.write(chunk);
    if (room && delay === 0) return;
    from.pause();
    const resume = () => {
      if (!this.frozen) from.resume();
    };
    if (delay > 0) setTimeout(resume, delay);
    else to.once('drain', resume);
  }
}

/** Starts a cutting proxy in front of a port of this machine. */
export async function cuttingProxy(target: number): Promise<CuttingProxy> {
  let proxy: CuttingProxy | undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => proxy?.take(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  proxy = new CuttingProxy(server, target);
  return proxy;
}
