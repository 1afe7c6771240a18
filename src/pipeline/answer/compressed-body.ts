import {
  type BrotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  type Gzip,
  type ZstdCompress,
} from 'node:zlib';
import { type BodySink, type BodySource, retained } from '../../http/body.ts';
import { Failure } from '../../http/errors.ts';
import type { Headers } from '../../http/headers.ts';
import type { Coding } from './accept-encoding.ts';

export const GZIP_LEVEL = 5;
/** A window of 512 KiB: the usual one of 4 MiB is memory of each stream, and holds that much back before it speaks. */
export const BROTLI = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 19 },
};

type Encoder = Gzip | BrotliCompress | ZstdCompress;

function encoderOf(coding: Coding): Encoder {
  switch (coding) {
    case 'gzip':
      return createGzip({ level: GZIP_LEVEL });
    case 'br':
      return createBrotliCompress(BROTLI);
    case 'zstd':
      return createZstdCompress();
  }
}

/** A body that is compressed as it passes, with back-pressure. What has come is flushed when no more follows at once. */
export class CompressedBody implements BodySource, BodySink {
  readonly length = -1;
  private readonly source: BodySource;
  private readonly encoder: Encoder;
  private sink: BodySink | null = null;
  private trailers: Headers | null = null;
  private flushing: NodeJS.Immediate | null = null;

  constructor(source: BodySource, coding: Coding) {
    this.source = source;
    this.encoder = encoderOf(coding);
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.encoder.on('data', (chunk: Buffer) => {
      if (this.sink !== null && !this.sink.write(chunk, retained)) this.encoder.pause();
    });
    this.encoder.on('drain', () => this.source.resume());
    this.encoder.on('end', () => this.finish(null));
    this.encoder.on('error', (error: Error) => {
      this.source.cancel();
      this.finish(new Failure('TG_INTERNAL', error.message));
    });
    this.source.open(this);
  }

  resume(): void {
    this.encoder.resume();
  }

  cancel(): void {
    this.sink = null;
    this.close();
    this.source.cancel();
  }

  write(chunk: Buffer): boolean {
    if (this.sink === null) return true;
    // The encoder works on it in another thread, after the source has taken its memory back.
    const more = this.encoder.write(Buffer.from(chunk));
    this.flushing ??= setImmediate(() => {
      this.flushing = null;
      if (!this.encoder.writableNeedDrain) this.encoder.flush();
    });
    return more;
  }

  end(trailers: Headers | null): void {
    this.trailers = trailers;
    this.stopFlushing();
    this.encoder.end();
  }

  fail(failure: Failure): void {
    this.close();
    this.finish(failure);
  }

  private finish(failure: Failure | null): void {
    const { sink } = this;
    this.sink = null;
    this.stopFlushing();
    if (failure === null) sink?.end(this.trailers);
    else sink?.fail(failure);
  }

  private close(): void {
    this.stopFlushing();
    this.encoder.removeAllListeners('data');
    this.encoder.destroy();
  }

  private stopFlushing(): void {
    if (this.flushing !== null) clearImmediate(this.flushing);
    this.flushing = null;
  }
}
