import { type BodySink, type BodySource, type Retain, retained } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/**
 * Reads a body of up to `limit` bytes whole. One that turns out to be longer is given back as a body that delivers
 * what was read of it, and then the rest: until somebody opens it, that stays with the sender.
 */
export function readBeginning(body: BodySource, limit: number): Promise<Buffer | BodySource | Failure> {
  if (body.length > limit) return Promise.resolve(body);
  return new Promise((resolve) => body.open(new Beginning(body, limit, resolve)));
}

class Beginning implements BodySource, BodySink {
  readonly length: number;
  private readonly source: BodySource;
  private readonly limit: number;
  private readonly resolve: (read: Buffer | BodySource | Failure) => void;
  private read: Buffer[] = [];
  private size = 0;
  private sink: BodySink | null = null;
  private outcome: { trailers: Headers | null } | Failure | null = null;

  constructor(source: BodySource, limit: number, resolve: (read: Buffer | BodySource | Failure) => void) {
    this.source = source;
    this.length = source.length;
    this.limit = limit;
    this.resolve = resolve;
  }

  write(chunk: Buffer, retain: Retain): boolean {
    if (this.sink !== null) return this.sink.write(chunk, retain);
    this.read.push(Buffer.from(chunk));
    this.size += chunk.length;
    if (this.size <= this.limit) return true;
    this.resolve(this);
    return false;
  }

  end(trailers: Headers | null): void {
    if (this.size <= this.limit) this.resolve(Buffer.concat(this.read, this.size));
    else this.finish({ trailers });
  }

  fail(failure: Failure): void {
    if (this.size <= this.limit) this.resolve(failure);
    else this.finish(failure);
  }

  open(sink: BodySink): void {
    this.sink = sink;
    const beginning = Buffer.concat(this.read, this.size);
    this.read = [];
    const goOn = sink.write(beginning, retained);
    if (this.outcome !== null) this.finish(this.outcome);
    else if (goOn) this.source.resume();
  }

  resume(): void {
    this.source.resume();
  }

  cancel(): void {
    this.sink = null;
    this.source.cancel();
  }

  private finish(outcome: { trailers: Headers | null } | Failure): void {
    this.outcome = outcome;
    const { sink } = this;
    this.sink = null;
    if ('trailers' in outcome) sink?.end(outcome.trailers);
    else sink?.fail(outcome);
  }
}
