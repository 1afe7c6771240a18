import type { BodySource } from '../../http/body.ts';
import type { Headers } from '../../http/headers.ts';
import { PassingBody } from '../../http/passing.ts';
import type { ForbiddenNames } from './names.ts';

/**
 * A body whose trailers name nobody: some servers merge them into the headers (RFC 9110 §6.5.1), and what must not stand
 * in front of the content must not come in behind it.
 */
export class WithoutTrailers extends PassingBody {
  private readonly names: ForbiddenNames;

  constructor(source: BodySource, names: ForbiddenNames) {
    super(source);
    this.names = names;
  }

  override end(trailers: Headers | null): void {
    const kept = trailers === null ? null : this.names.without(trailers);
    super.end(kept === null || kept.length === 0 ? null : kept);
  }
}
