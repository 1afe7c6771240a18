import type { BodySink, BodySource, Retain } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import { ChunkDecoder, type ChunkOutput } from './chunked.ts';

/** What a body needs of the connection it comes by. */
export interface BodyFeed extends Retain {
  /** The body wants bytes: it was opened, or its sink takes more. */
  feed(): void;
  /** Nobody wants the rest. */
  cancelled(): void;
}

/** How the end of a received body is found (RFC 9112 §6.3). */
export const Coding = { length: 0, chunked: 1, close: 2 } as const;
export type Coding = (typeof Coding)[keyof typeof Coding];

/**
 * The content of a message as its connection reads it. Nothing is read ahead beyond what came with the
 * head: until someone opens it, and while its sink holds, the bytes stay with the sender.
 */
export class IncomingBody implements BodySource, ChunkOutput {
  readonly length: number;
  /** All of it has come. */
  complete = false;
  abandoned = false;
  received = 0;
  private readonly feeder: BodyFeed;
  private readonly decoder: ChunkDecoder | null;
  private readonly limit: number;
  private sink: BodySink | null = null;
  private held = false;

  /** More than `limit` bytes are `tooLarge` as they come. */
  constructor(feeder: BodyFeed, coding: Coding, length: number, limit: number) {
    this.feeder = feeder;
    this.length = coding === Coding.length ? length : -1;
    this.limit = limit;
    this.decoder = coding === Coding.chunked ? new ChunkDecoder() : null;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.feeder.feed();
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    this.feeder.feed();
  }

  cancel(): void {
    if (this.abandoned || this.complete) return;
    this.abandoned = true;
    this.sink = null;
    this.feeder.cancelled();
  }

  /** Does anyone take bytes now? A body that nobody wants is read on and thrown away. */
  get wanted(): boolean {
    return this.abandoned || (this.sink !== null && !this.held);
  }

  get opened(): boolean {
    return this.sink !== null;
  }

  get tooLarge(): boolean {
    return this.received > this.limit;
  }

  get broken(): boolean {
    return this.decoder?.broken ?? false;
  }

  /** Takes content from `input` at `at`; gives back where it stopped. */
  take(input: Buffer, at: number): number {
    if (this.decoder !== null) {
      at = this.decoder.decode(input, at, this);
      if (this.decoder.done) this.finish();
      return at;
    }
    const to = this.length < 0 ? input.length : Math.min(input.length, at + this.length - this.received);
    if (to > at) this.data(at === 0 && to === input.length ? input : input.subarray(at, to));
    if (this.received === this.length) this.finish();
    return to;
  }

  data(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (this.received > this.limit) return false;
    if (this.sink === null) return true;
    this.held = !this.sink.write(chunk, this.feeder);
    return !this.held;
  }

  /** It came whole. */
  finish(): void {
    if (this.complete) return;
    this.complete = true;
    const sink = this.sink;
    this.sink = null;
    sink?.end(this.decoder?.trailers ?? null);
  }

  /** It will not come whole. */
  fail(failure: Failure): void {
    const sink = this.sink;
    this.abandoned = true;
    this.sink = null;
    sink?.fail(failure);
  }
}
