import type { Http2Stream } from 'node:http2';
import { type BodySink, type BodySource, retained } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { trailersOf } from '../http1/index.ts';

/** Whose content it is. */
export interface StreamBodyOwner {
  /** END_STREAM has come, or may be taken to have, where the stream has come to its end. */
  readonly endCame: boolean;
  /** Bytes came, or all of them. */
  bodyMoved(): void;
  /** Nobody wants the rest. */
  bodyCancelled(): void;
}

/**
 * The content of a message as its stream brings it. Until someone opens it, and while its sink holds, the stream's
 * window stays shut, so that no more than that waits here.
 */
export class StreamBody implements BodySource {
  readonly length: number;
  received = 0;
  /** All of it has come. */
  complete = false;
  private readonly stream: Http2Stream;
  private readonly limit: number;
  private readonly owner: StreamBodyOwner;
  private sink: BodySink | null = null;
  private held = false;
  private over = false;
  /** It broke off before anyone opened it: whoever does, an answer may be held meanwhile, is told then. */
  private failure: Failure | null = null;
  private trailers: Headers | null = null;
  /** What was taken off a stream that is gone; null while there is one. */
  private salvaged: Buffer[] | null = null;

  constructor(stream: Http2Stream, length: number, limit: number, owner: StreamBodyOwner) {
    this.stream = stream;
    this.length = length;
    this.limit = limit;
    this.owner = owner;
    // They are told as they come, whoever reads the content, and when.
    stream.on('trailers', (_fields, _flags, lines) => {
      this.trailers = trailersOf(lines as unknown as string[]);
    });
  }

  get tooLarge(): boolean {
    return this.received > this.limit;
  }

  /** Does anyone take bytes now? */
  get wanted(): boolean {
    return this.sink !== null && !this.held;
  }

  open(sink: BodySink): void {
    if (this.failure !== null) return sink.fail(this.failure);
    if (this.over) return;
    this.sink = sink;
    if (this.salvaged !== null) return this.deliver(this.salvaged);
    this.stream.on('data', (chunk: Buffer) => {
      if (this.salvaged === null) this.take(chunk);
    });
    this.stream.on('end', () => {
      if (this.salvaged === null) this.finish();
    });
    this.owner.bodyMoved();
  }

  /**
   * The connection ends, and with it every stream and what waits in it to be read. Content that has come whole is
   * kept here, for whoever is slow to take it. False: it has not.
   */
  salvage(): boolean {
    if (this.salvaged !== null) return true;
    if (this.over || !this.owner.endCame) return false;
    const chunks: Buffer[] = [];
    this.salvaged = chunks;
    for (let chunk = this.stream.read(); chunk !== null; chunk = this.stream.read()) chunks.push(chunk);
    if (this.wanted) this.deliver(chunks);
    return true;
  }

  private deliver(chunks: Buffer[]): void {
    while (this.wanted && chunks.length > 0) this.take(chunks.shift()!);
    if (chunks.length === 0 && !this.held) this.finish();
  }

  private take(chunk: Buffer): void {
    this.received += chunk.length;
    if (!this.tooLarge && this.sink !== null) {
      this.held = !this.sink.write(chunk, retained);
      if (this.held) this.stream.pause();
    }
    this.owner.bodyMoved();
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    if (this.salvaged !== null) return this.deliver(this.salvaged);
    this.stream.resume();
    this.owner.bodyMoved();
  }

  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.sink = null;
    this.stream.pause();
    this.owner.bodyCancelled();
  }

  fail(failure: Failure): void {
    const { sink } = this;
    if (sink === null && !this.over) this.failure = failure;
    this.over = true;
    this.sink = null;
    sink?.fail(failure);
  }

  private finish(): void {
    if (this.over || !this.owner.endCame) return;
    this.over = true;
    this.complete = true;
    const { sink } = this;
    this.sink = null;
    this.owner.bodyMoved();
    sink?.end(this.trailers);
  }
}
