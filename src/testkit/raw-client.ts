import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ByteReader, type Ending, show } from './byte-reader.ts';
import { type RawHead, type RawResponse, readHead, readResponse } from './message-reader.ts';
import { writeAll } from './socket-write.ts';
import { PATIENCE, turn, within } from './waiting.ts';

export interface RawClientOptions {
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** TLS: the trusted CA (PEM), the name asked for, protocols offered. */
  tls?: {
    ca?: string;
    servername?: string;
    cert?: string;
    key?: string;
    alpn?: string[];
    maxVersion?: 'TLSv1.2';
  };
  /** Milliseconds each wait may take; default 5 s. */
  patience?: number;
}

/**
 * A client that sends exactly the bytes it is told to and reads answers strictly. It half-closes only when
 * told, so that a test sees how the other side ends. Close it, or declare it with `await using`.
 */
export class RawClient {
  readonly socket: Socket;
  readonly reader: ByteReader;
  private readonly transport: Socket;
  private readonly patience: number;
  private seen: Buffer[] = [];
  private seenBytes = 0;

  constructor(transport: Socket, socket: Socket, patience: number) {
    this.transport = transport;
    this.socket = socket;
    this.patience = patience;
    this.reader = new ByteReader();
    socket.on('data', (chunk: Buffer) => {
      this.remember(chunk);
      this.reader.push(chunk);
    });
    socket.on('end', () => this.reader.end('fin'));
    socket.on('error', () => this.reader.end('reset'));
    socket.on('close', () => this.reader.end('reset'));
  }

  /** The port this client speaks from. */
  get localPort(): number {
    return this.transport.localPort!;
  }

  /** Resolves once the bytes are with the system. A connection that is gone already takes them silently. */
  async send(bytes: Buffer | string): Promise<void> {
    const written = writeAll(this.socket, bytes);
    await within(
      written,
      () => `the other side does not take ${bytes.length} bytes; ${this.sofar()}`,
      this.patience,
    );
  }

  /** Sends the bytes cut at `offsets`, each piece in a packet of its own that is read before the next comes. */
  async sendSplit(bytes: Buffer | string, offsets: readonly number[]): Promise<void> {
    const whole = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    let start = 0;
    for (const offset of [...offsets, whole.length]) {
      if (offset <= start) continue;
      await this.send(whole.subarray(start, offset));
      await turn();
      start = offset;
    }
  }

  /** The next answer, whole. `method` is that of its request: an answer to HEAD has no body. */
  async response(method = 'GET'): Promise<RawResponse> {
    return await this.wait(readResponse(this.reader, method), 'a whole response');
  }

  /** The next head alone (an interim one too); its body is left to `bytes`, `line` or `rest`. */
  async head(): Promise<RawHead> {
    return await this.wait(readHead(this.reader), 'the head of a response');
  }

  async bytes(count: number): Promise<Buffer> {
    return await this.wait(this.reader.exactly(count), `${count} bytes`);
  }

  async line(): Promise<string> {
    return (await this.wait(this.reader.line(), 'a line')).toString('latin1');
  }

  /** Whatever comes until the other side ends. */
  async rest(): Promise<Buffer> {
    return await this.wait(this.reader.rest(), 'the end of the connection');
  }

  /** How the other side ended the connection, once it has. */
  async closed(): Promise<Ending> {
    return await this.wait(this.reader.closed(), 'the end of the connection');
  }

  /** Half-closes: no more is sent, answers are still read. */
  end(): void {
    this.socket.end();
  }

  /** Ends with a RST. */
  reset(): void {
    this.transport.resetAndDestroy();
  }

  /** Stops reading, so that the other side's writes back up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
    this.transport.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private async wait<T>(promise: Promise<T>, wanted: string): Promise<T> {
    return await within(promise, () => `${wanted} did not come; ${this.sofar()}`, this.patience);
  }

  private sofar(): string {
    const ending = this.reader.ending === null ? 'still open' : `ended by ${this.reader.ending}`;
    const kept = Buffer.concat(this.seen);
    return `the connection is ${ending}, and came so far (${this.reader.received} bytes): ${show(kept)}`;
  }

  /** The beginning of what arrived is kept for messages; large bodies are not. */
  private remember(chunk: Buffer): void {
    if (this.seenBytes > 16_384) return;
    this.seen.push(chunk);
    this.seenBytes += chunk.length;
  }
}

/** Connects, over TLS where asked, and resolves once bytes can be sent. */
export async function rawClient(options: RawClientOptions | number): Promise<RawClient> {
  const {
    port,
    host = '127.0.0.1',
    tls,
    patience = PATIENCE,
  } = typeof options === 'number' ? { port: options } : options;
  const transport = connect({ port, host, allowHalfOpen: true, noDelay: true });
  await within(connected(transport, 'connect'), () => `no connection to ${host}:${port}`, patience);
  if (tls === undefined) return new RawClient(transport, transport, patience);
  const { alpn, ...wanted } = tls;
  const secured = connectTls({
    ...wanted,
    socket: transport,
    rejectUnauthorized: tls.ca !== undefined,
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    allowHalfOpen: true,
  } as ConnectionOptions);
  await within(connected(secured, 'secureConnect'), () => `no TLS with ${host}:${port}`, patience);
  return new RawClient(transport, secured, patience);
}

async function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
  });
  socket.removeAllListeners('error');
}
