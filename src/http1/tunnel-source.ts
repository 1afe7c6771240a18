import type { Socket } from 'node:net';
import { type BodySink, type BodySource, retained } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';

/** The client's bytes after an upgrade: no framing, just what comes until its FIN. */
export class TunnelSource implements BodySource {
  readonly length = -1;
  private readonly socket: Socket;
  private sink: BodySink | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.socket.resume();
  }

  resume(): void {
    this.socket.resume();
  }

  cancel(): void {
    this.sink = null;
    this.socket.destroy();
  }

  push(chunk: Buffer): void {
    if (this.sink !== null && !this.sink.write(chunk, retained)) this.socket.pause();
  }

  /** The client has sent its FIN: it may still read (half-close). */
  end(): void {
    const sink = this.sink;
    this.sink = null;
    sink?.end(null);
  }

  fail(failure: Failure): void {
    const sink = this.sink;
    this.sink = null;
    sink?.fail(failure);
  }
}
