import type { BodySink, BodySource, Retain } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/** Sees a body go by. It can't hold it back; chunks it keeps it must copy. */
export interface BodyObserver {
  saw(chunk: Buffer): void;
  /** The body ended; `failure` null: whole. Not called where the reader gave the body up. */
  done(trailers: Headers | null, failure: Failure | null): void;
}

/** The same body, seen by an observer as it passes to whoever reads it: counted, or stored. */
export class TeeBody implements BodySource, BodySink {
  readonly length: number;
  private readonly source: BodySource;
  private readonly observer: BodyObserver;
  private sink: BodySink | null = null;

  constructor(source: BodySource, observer: BodyObserver) {
    this.source = source;
    this.length = source.length;
    this.observer = observer;
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
    this.observer.saw(chunk);
    return this.sink?.write(chunk, retain) ?? true;
  }

  end(trailers: Headers | null): void {
    this.observer.done(trailers, null);
    this.sink?.end(trailers);
  }

  fail(failure: Failure): void {
    this.observer.done(null, failure);
    this.sink?.fail(failure);
  }
}
