import type { BodySink, BodySource, Retain } from './body.ts';
import { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/** A body of unknown length that fails with `TG_REQUEST_BODY_TOO_LARGE` once more than `limit` bytes have come. */
export class LimitedBody implements BodySource, BodySink {
  readonly length = -1;
  private readonly source: BodySource;
  private readonly limit: number;
  private sink: BodySink | null = null;
  private bytes = 0;

  constructor(source: BodySource, limit: number) {
    this.source = source;
    this.limit = limit;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.source.open(this);
  }

  resume(): void {
    this.source.resume();
  }

  cancel(): void {
    this.sink = null;
    this.source.cancel();
  }

  write(chunk: Buffer, retain: Retain): boolean {
    this.bytes += chunk.length;
    if (this.bytes <= this.limit) return this.sink?.write(chunk, retain) ?? true;
    const sink = this.sink;
    this.cancel();
    sink?.fail(new Failure('TG_REQUEST_BODY_TOO_LARGE', `over ${this.limit} bytes`));
    return false;
  }

  end(trailers: Headers | null): void {
    this.sink?.end(trailers);
  }

  fail(failure: Failure): void {
    this.sink?.fail(failure);
  }
}
