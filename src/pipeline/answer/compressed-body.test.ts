import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodySink, type BodySource, retained } from '../../http/body.ts';
import { Failure } from '../../http/errors.ts';
import type { Headers } from '../../http/headers.ts';
import { until } from '../../testkit/index.ts';
import { CODINGS, type Coding } from './accept-encoding.ts';
import { CompressedBody } from './compressed-body.ts';

const DECODE: Record<Coding, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** A source that sends its pieces in memory that it uses again, and heeds being held back. */
class Pieces implements BodySource {
  readonly length = -1;
  cancelled = false;
  taken = 0;
  private readonly pieces: readonly Buffer[];
  private readonly trailers: Headers | null;
  private sink!: BodySink;

  constructor(pieces: readonly Buffer[], trailers: Headers | null = null) {
    this.pieces = pieces;
    this.trailers = trailers;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.resume();
  }

  resume(): void {
    while (this.taken < this.pieces.length) {
      const memory = Buffer.from(this.pieces[this.taken++]!);
      const more = this.sink.write(memory, retained);
      memory.fill(0);
      if (!more) return;
    }
    if (this.taken++ === this.pieces.length) this.sink.end(this.trailers);
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** Takes `room` chunks, then holds back until told to go on. */
class Reader implements BodySink {
  readonly chunks: Buffer[] = [];
  outcome: 'open' | 'end' | Failure = 'open';
  trailers: Headers | null = null;
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  write(chunk: Buffer): boolean {
    this.chunks.push(Buffer.from(chunk));
    return --this.room > 0;
  }

  end(trailers: Headers | null): void {
    this.outcome = 'end';
    this.trailers = trailers;
  }

  fail(failure: Failure): void {
    this.outcome = failure;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

describe.each(CODINGS)('a body compressed by %s as it passes', (coding) => {
  it('is the same once decoded, however it was cut into pieces', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, async (arrays) => {
        const buffers = arrays.map((array) => Buffer.from(array));
        const reader = new Reader();
        new CompressedBody(new Pieces(buffers), coding).open(reader);
        await until(() => reader.outcome === 'end', 'it does not end');
        expect(DECODE[coding](reader.bytes).equals(Buffer.concat(buffers))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('brings its trailers', async () => {
    const reader = new Reader();
    new CompressedBody(new Pieces([Buffer.from('text')], ['x-sum', '1']), coding).open(reader);
    await until(() => reader.outcome === 'end', 'it does not end');
    expect(reader.trailers).toEqual(['x-sum', '1']);
  });

  it('holds its source back while its reader is, and goes on after', async () => {
    const noise = Array.from({ length: 600 }, () => randomBytes(16 * 1024));
    const source = new Pieces(noise);
    const reader = new Reader(1);
    const body = new CompressedBody(source, coding);
    body.open(reader);
    await until(() => reader.chunks.length > 0, 'nothing comes');
    let before = -1;
    await until(() => {
      const stopped = source.taken === before;
      before = source.taken;
      return stopped;
    }, 'it takes all there is');
    expect(source.taken).toBeLessThan(noise.length);
    reader.room = Number.POSITIVE_INFINITY;
    body.resume();
    await until(() => reader.outcome === 'end', 'it does not end');
    expect(DECODE[coding](reader.bytes).equals(Buffer.concat(noise))).toBe(true);
  });

  it('that breaks off is no whole one', () => {
    const reader = new Reader();
    const body = new CompressedBody({ length: -1, open() {}, resume() {}, cancel() {} }, coding);
    body.open(reader);
    body.write(Buffer.from('half'));
    const failure = new Failure('TG_UPSTREAM_TRUNCATED');
    body.fail(failure);
    expect(reader.outcome).toBe(failure);
  });

  it('that is given up tells its source, and reaches nobody', async () => {
    const source = new Pieces(Array.from({ length: 200 }, () => randomBytes(16 * 1024)));
    const reader = new Reader(1);
    const body = new CompressedBody(source, coding);
    body.open(reader);
    body.cancel();
    body.cancel();
    expect([source.cancelled, reader.outcome, reader.chunks.length]).toEqual([true, 'open', 0]);
  });
});
