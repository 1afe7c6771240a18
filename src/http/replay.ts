import { type BodySink, type BodySource, type Retain, retained } from './body.ts';
import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/**
 * A body that can be sent again: it keeps a copy of its first `limit` bytes as they pass. Each try gets its
 * own view; a try that is given up leaves the source as it is, for the next one.
 */
export class ReplayBody implements BodySink {
  private readonly source: BodySource;
  private readonly limit: number;
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private opened = false;
  private outcome: { trailers: Headers | null } | Failure | null = null;
  private current: Attempt | null = null;
  /** All bytes that have passed are still at hand. */
  replayable = true;

  constructor(source: BodySource, limit: number) {
    this.source = source;
    this.limit = limit;
  }

  /** The body for one more try. Only while `replayable`, or for the first. */
  attempt(): BodySource {
    this.current?.cancel();
    return new Attempt(this, this.source.length);
  }

  /** No further try comes: whoever sends the body is told. */
  cancel(): void {
    this.current = null;
    this.source.cancel();
  }

  write(chunk: Buffer, retain: Retain): boolean {
    if (this.replayable && this.keptBytes + chunk.length <= this.limit) {
      chunk = Buffer.from(chunk);
      retain = retained;
      this.kept.push(chunk);
      this.keptBytes += chunk.length;
    } else {
      this.replayable = false;
      this.kept.length = 0;
    }
    // While no try is under way the sender is held back.
    return this.current?.pass(chunk, retain) ?? false;
  }

  end(trailers: Headers | null): void {
    this.outcome = { trailers };
    this.current?.finish({ trailers });
  }

  fail(failure: Failure): void {
    this.outcome = failure;
    this.current?.finish(failure);
  }

  /** Called by an attempt: begins, with all that has passed already. */
  start(attempt: Attempt): void {
    this.current = attempt;
    for (const chunk of this.kept) attempt.pass(chunk, retained);
    if (this.outcome !== null) return attempt.finish(this.outcome);
    if (this.opened) return this.source.resume();
    this.opened = true;
    this.source.open(this);
  }

  resume(attempt: Attempt): void {
    if (this.current === attempt) this.source.resume();
  }

  leave(attempt: Attempt): void {
    if (this.current === attempt) this.current = null;
  }
}

/** One try's view of the body. */
class Attempt implements BodySource {
  readonly length: number;
  private readonly body: ReplayBody;
  private sink: BodySink | null = null;

  constructor(body: ReplayBody, length: number) {
    this.body = body;
    this.length = length;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.body.start(this);
  }

  resume(): void {
    this.body.resume(this);
  }

  cancel(): void {
    this.sink = null;
    this.body.leave(this);
  }

  pass(chunk: Buffer, retain: Retain): boolean {
    return this.sink?.write(chunk, retain) ?? false;
  }

  finish(outcome: { trailers: Headers | null } | Failure): void {
    const sink = this.sink;
    this.sink = null;
    if ('trailers' in outcome) sink?.end(outcome.trailers);
    else sink?.fail(outcome);
  }
}
