import { type BodySink, type BodySource, retained } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';

/** What is kept unread once a body is too long to be stored; then its sender is held back. */
const AHEAD = 256 * 1024;

export interface SharedBodyOwner {
  /** The whole body, for the store; null where it is longer than the limit, or broke off. */
  finished(body: Buffer | null, failure: Failure | null): void;
  /** It is longer than the limit: it goes on to those who read it, and will not be stored. */
  overflowed?(): void;
  /** Nobody reads what will not be stored: it was given up, and `finished` will not be called. */
  abandoned?(): void;
}

/**
 * One body, read from its service once, given to any number of readers at their own pace, from its beginning,
 * while it is still coming in. Up to `limit` bytes it is kept whole and nobody holds the sender back; longer
 * ones are passed on only, at the pace of the slowest reader.
 */
export class SharedBody implements BodySink {
  readonly length: number;
  private readonly source: BodySource;
  private readonly limit: number;
  private readonly owner: SharedBodyOwner;
  private readonly readers = new Set<Reader>();
  private chunks: Buffer[] = [];
  /** Chunks that are gone already, in front of `chunks`. */
  private gone = 0;
  private bytes = 0;
  private ended: { trailers: Headers | null; failure: Failure | null } | null = null;
  private held = false;
  private givenUp = false;
  /** Longer than can be kept: no more readers can join. */
  overflowed = false;

  constructor(source: BodySource, limit: number, owner: SharedBodyOwner) {
    this.source = source;
    this.length = source.length;
    this.limit = limit;
    this.owner = owner;
  }

  start(): void {
    this.source.open(this);
  }

  /** A body for one more reader; all of it, as long as it has not overflowed. */
  reader(): BodySource {
    const reader = new Reader(this, this.length);
    this.readers.add(reader);
    return reader;
  }

  write(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    this.chunks.push(Buffer.from(chunk));
    if (!this.overflowed && this.bytes > this.limit) this.overflow();
    for (const reader of [...this.readers]) reader.pump();
    if (!this.overflowed) return true;
    this.held = this.trim() > AHEAD;
    return !this.held;
  }

  end(trailers: Headers | null): void {
    this.finish(trailers, null);
  }

  fail(failure: Failure): void {
    this.finish(null, failure);
  }

  private finish(trailers: Headers | null, failure: Failure | null): void {
    this.ended = { trailers, failure };
    const whole = failure === null && !this.overflowed ? this.whole() : null;
    this.owner.finished(whole, failure);
    for (const reader of [...this.readers]) reader.pump();
  }

  private whole(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.bytes);
  }

  private overflow(): void {
    this.overflowed = true;
    this.owner.overflowed?.();
    if (this.readers.size === 0) this.giveUp();
  }

  private giveUp(): void {
    if (this.givenUp) return;
    this.givenUp = true;
    this.source.cancel();
    this.owner.abandoned?.();
  }

  /** Called by a reader: the chunk at its place, or what there is instead. */
  at(place: number): Buffer | { trailers: Headers | null; failure: Failure | null } | null {
    return this.chunks[place - this.gone] ?? this.ended;
  }

  /** A reader has moved on, or left. */
  progressed(reader: Reader, left: boolean): void {
    if (left) this.readers.delete(reader);
    if (!this.overflowed || this.ended !== null) return;
    if (this.readers.size === 0) return this.giveUp();
    const waiting = this.trim();
    if (!this.held || waiting > AHEAD / 2) return;
    this.held = false;
    this.source.resume();
  }

  /** Lets go of what every reader has had; gives back the bytes that are left. */
  private trim(): number {
    let slowest = Number.POSITIVE_INFINITY;
    for (const reader of this.readers) slowest = Math.min(slowest, reader.place);
    const done = Math.min(slowest - this.gone, this.chunks.length);
    if (done > 0) {
      this.chunks = this.chunks.slice(done);
      this.gone += done;
    }
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }
}

class Reader implements BodySource {
  readonly length: number;
  place = 0;
  private readonly body: SharedBody;
  private sink: BodySink | null = null;
  private held = false;
  private pumping = false;

  constructor(body: SharedBody, length: number) {
    this.body = body;
    this.length = length;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.pump();
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    this.pump();
  }

  cancel(): void {
    this.sink = null;
    this.body.progressed(this, true);
  }

  pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.sink !== null && !this.held) {
      const next = this.body.at(this.place);
      if (next === null) break;
      if (!Buffer.isBuffer(next)) {
        this.finish(next);
        break;
      }
      this.place++;
      this.held = !this.sink.write(next, retained);
    }
    this.pumping = false;
    if (this.sink !== null) this.body.progressed(this, false);
  }

  private finish({ trailers, failure }: { trailers: Headers | null; failure: Failure | null }): void {
    const sink = this.sink!;
    this.sink = null;
    this.body.progressed(this, true);
    if (failure === null) sink.end(trailers);
    else sink.fail(failure);
  }
}
