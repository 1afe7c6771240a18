import type { Headers } from '../../http/headers.ts';
import { foldedName } from '../../http/reserved-headers.ts';

/** Header names of which a client's own copy never reaches a service, in any spelling that a service could take for them. */
export class ForbiddenNames {
  private readonly folded: ReadonlySet<string>;
  /** Rules out nearly all names before one is folded. */
  private readonly lengths: ReadonlySet<number>;

  constructor(names: readonly string[]) {
    this.folded = new Set(names.map(foldedName));
    this.lengths = new Set(names.map((name) => name.length));
  }

  get empty(): boolean {
    return this.folded.size === 0;
  }

  has(name: string): boolean {
    return this.lengths.has(name.length) && this.folded.has(foldedName(name));
  }

  /** The headers without them; the very same list where there are none. */
  without(headers: Headers): Headers {
    for (let i = 0; i < headers.length; i += 2) if (this.has(headers[i]!)) return this.rest(headers);
    return headers;
  }

  private rest(headers: Headers): Headers {
    const kept: Headers = [];
    for (let i = 0; i < headers.length; i += 2)
      if (!this.has(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!);
    return kept;
  }
}
