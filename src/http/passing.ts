import type { BodySink, BodySource, Retain } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/** A body on its way through someone who looks at it: passes on everything, and holds and cancels as its sink does. */
export abstract class PassingBody implements BodySource, BodySink {
  readonly length: number;
  protected readonly source: BodySource;
  protected sink: BodySink | null = null;

  constructor(source: BodySource) {
    this.source = source;
    this.length = source.length;
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
    return this.sink?.write(chunk, retain) ?? true;
  }

  end(trailers: Headers | null): void {
    this.sink?.end(trailers);
  }

  fail(failure: Failure): void {
    this.sink?.fail(failure);
  }
}
