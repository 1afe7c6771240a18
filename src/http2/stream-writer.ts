import type { Http2Stream } from 'node:http2';
import type { BodySink, BodySource, Retain } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';

/** Told how the content ended, once, and that bytes wait or moved. */
export interface StreamWriterOwner {
  /** All of it has been handed over. */
  written(): void;
  /** It can't be completed. */
  broken(failure: Failure): void;
  /** Bytes wait for the other side to take them, or some of those were taken. */
  moved(): void;
}

/** Content goes to the stream in pieces of this size, so that a slow receiver is seen to take some. */
const PIECE = 16 * 1024;

/** Writes the content of one message to its stream. */
export class StreamWriter implements BodySink {
  bytes = 0;
  /** What the stream sends after its content, if anything. */
  trailers: Headers | null = null;
  private readonly stream: Http2Stream;
  private readonly owner: StreamWriterOwner;
  private source: BodySource | null = null;

  constructor(stream: Http2Stream, owner: StreamWriterOwner) {
    this.stream = stream;
    this.owner = owner;
    stream.on('drain', () => this.source?.resume());
  }

  /** Is anything handed over that the other side has not taken? */
  get waits(): boolean {
    return this.stream.writableLength > 0;
  }

  bytesOf(content: Buffer): void {
    this.put(content);
    this.end(null);
  }

  from(source: BodySource): void {
    this.source = source;
    source.open(this);
  }

  write(chunk: Buffer, retain: Retain): boolean {
    if (chunk.length === 0) return true;
    // What the stream takes leaves it later: a copy of a little spares its source the whole memory around it.
    const copied = chunk.length <= PIECE;
    this.put(copied ? Buffer.from(chunk) : chunk);
    if (!copied && this.stream.writableLength > 0) retain.retain();
    return !this.stream.writableNeedDrain;
  }

  private put(content: Buffer): void {
    this.bytes += content.length;
    const moved = () => this.owner.moved();
    for (let at = 0; at < content.length; at += PIECE)
      this.stream.write(content.subarray(at, at + PIECE), moved);
    this.owner.moved();
  }

  end(trailers: Headers | null): void {
    this.source = null;
    this.trailers = trailers;
    this.stream.end();
    this.owner.written();
  }

  fail(failure: Failure): void {
    this.source = null;
    this.owner.broken(failure);
  }

  /** Nobody takes it any more: whoever still sends is told. */
  abandon(): void {
    this.source?.cancel();
    this.source = null;
  }
}
