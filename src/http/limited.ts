import type { BodySource, Retain } from './body.ts';
import { Failure } from './errors.ts';
import { PassingBody } from './passing.ts';

/** A body of unknown length that fails with `TG_REQUEST_BODY_TOO_LARGE` once more than `limit` bytes have come. */
export class LimitedBody extends PassingBody {
  private readonly limit: number;
  private bytes = 0;

  constructor(source: BodySource, limit: number) {
    super(source);
    this.limit = limit;
  }

  override write(chunk: Buffer, retain: Retain): boolean {
    this.bytes += chunk.length;
    if (this.bytes <= this.limit) return super.write(chunk, retain);
    const { sink } = this;
    this.cancel();
    sink?.fail(new Failure('TG_REQUEST_BODY_TOO_LARGE', `over ${this.limit} bytes`));
    return false;
  }
}
