import { type BodySink, type BodySource, type Retain, retained } from '../../http/body.ts';
import type { Failure } from '../../http/errors.ts';
import type { Headers } from '../../http/headers.ts';

/** Content that is passed on as it comes, but for its end: that waits until something is done which begins then. */
export class HeldEnd implements BodySource, BodySink {
  readonly length: number;
  private readonly source: BodySource;
  private readonly atEnd: () => Promise<void>;
  private sink!: BodySink;
  private seen = 0;
  private begun = false;
  private done = false;
  private cancelled = false;
  private last: Buffer | null = null;
  private finish: (() => void) | null = null;
  /** All has come from the source that will. */
  private isOver = false;

  /** @param atEnd Must not reject. */
  constructor(source: BodySource, atEnd: () => Promise<void>) {
    this.source = source;
    this.length = source.length;
    this.atEnd = atEnd;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.source.open(this);
  }

  resume(): void {
    if (!this.isOver) this.source.resume();
  }

  cancel(): void {
    this.cancelled = true;
    this.source.cancel();
    this.begin();
  }

  write(chunk: Buffer, retain: Retain): boolean {
    this.seen += chunk.length;
    // Where the length is known the last byte is the end.
    if (this.length < 0 || this.seen < this.length) return this.sink.write(chunk, retain);
    retain.retain();
    this.last = chunk;
    this.begin();
    return true;
  }

  end(trailers: Headers | null): void {
    this.over(() => this.sink.end(trailers));
  }

  fail(failure: Failure): void {
    this.over(() => this.sink.fail(failure));
  }

  private over(finish: () => void): void {
    this.isOver = true;
    if (this.done) return finish();
    this.finish = finish;
    this.begin();
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    void this.atEnd().then(() => this.goOn());
  }

  private goOn(): void {
    this.done = true;
    const { last, finish } = this;
    this.last = null;
    if (this.cancelled) return;
    if (last !== null) this.sink.write(last, retained);
    if (!this.cancelled) finish?.();
  }
}
