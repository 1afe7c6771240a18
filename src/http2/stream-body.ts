import type { ServerHttp2Stream } from 'node:http2';
import { type BodySink, type BodySource, retained } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';

/**
 * The content of a request as its stream brings it. Until someone opens it, and while its sink holds, the stream's
 * window stays shut, so that no more than that waits here.
 */
export class StreamBody implements BodySource {
  readonly length: number;
  received = 0;
  /** All of it has come. */
  complete = false;
  private readonly stream: ServerHttp2Stream;
  private readonly limit: number;
  private readonly moved: () => void;
  private sink: BodySink | null = null;
  private held = false;
  private over = false;
  private trailers: Headers | null = null;

  /** @param moved Bytes came, or all of them. */
  constructor(stream: ServerHttp2Stream, length: number, limit: number, moved: () => void) {
    this.stream = stream;
    this.length = length;
    this.limit = limit;
    this.moved = moved;
  }

  get tooLarge(): boolean {
    return this.received > this.limit;
  }

  /** Does anyone take bytes now? */
  get wanted(): boolean {
    return this.sink !== null && !this.held;
  }

  open(sink: BodySink): void {
    if (this.over) return;
    this.sink = sink;
    this.stream.on('trailers', (_fields, _flags, lines) => {
      this.trailers = lines as unknown as Headers;
    });
    this.stream.on('data', (chunk: Buffer) => this.take(chunk));
    this.stream.on('end', () => this.finish());
    this.moved();
  }

  private take(chunk: Buffer): void {
    this.received += chunk.length;
    if (!this.tooLarge && this.sink !== null) {
      this.held = !this.sink.write(chunk, retained);
      if (this.held) this.stream.pause();
    }
    this.moved();
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    this.stream.resume();
    this.moved();
  }

  /** The stream ends once its answer is out: nothing more is read of it. */
  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.sink = null;
    this.stream.pause();
  }

  fail(failure: Failure): void {
    const { sink } = this;
    this.over = true;
    this.sink = null;
    sink?.fail(failure);
  }

  /** A stream that was reset ends its content too, and the reset is heard a moment later. */
  private finish(): void {
    if (this.over || this.stream.rstCode !== 0 || this.stream.aborted) return;
    this.over = true;
    this.complete = true;
    const { sink } = this;
    this.sink = null;
    this.moved();
    sink?.end(this.trailers);
  }
}
