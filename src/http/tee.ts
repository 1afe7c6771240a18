import type { BodySource, Retain } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';
import { PassingBody } from './passing.ts';

/** Sees a body go by. It can't hold it back; chunks it keeps it must copy. */
export interface BodyObserver {
  saw(chunk: Buffer): void;
  /** The body ended; `failure` null: whole. Not called where the reader gave the body up. */
  done(trailers: Headers | null, failure: Failure | null): void;
}

/** The same body, seen by an observer as it passes to whoever reads it: counted, or stored. */
export class TeeBody extends PassingBody {
  private readonly observer: BodyObserver;

  constructor(source: BodySource, observer: BodyObserver) {
    super(source);
    this.observer = observer;
  }

  override write(chunk: Buffer, retain: Retain): boolean {
    this.observer.saw(chunk);
    return super.write(chunk, retain);
  }

  override end(trailers: Headers | null): void {
    this.observer.done(trailers, null);
    super.end(trailers);
  }

  override fail(failure: Failure): void {
    this.observer.done(null, failure);
    super.fail(failure);
  }
}
