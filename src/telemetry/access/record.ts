import type { Failure } from '../../http/errors.ts';
import { type Exchange, endStatus, type Reply } from '../../http/exchange.ts';
import { getHeader } from '../../http/headers.ts';
import { shownReferer } from './shown-target.ts';

/** All that is known of a request that is over. */
export interface AccessRecord {
  readonly exchange: Exchange;
  /** Null: the client left before there was any. */
  readonly answer: Reply | null;
  /** Bytes of content that were written. */
  readonly bytes: number;
  /** Why the answer did not go out whole; null: it did. */
  readonly failure: Failure | null;
  /** Milliseconds since 1970, now. */
  readonly wall: number;
  /** Milliseconds from the first byte of the request to the last of the answer. */
  readonly duration: number;
  /** Path and query with credentials masked; null: no request could be read. */
  readonly target: string | null;
  /** Query parameters that hold credentials. */
  readonly secret: ReadonlySet<string>;
}

/** Where the client says it comes from, credentials masked: a page's own URL may hold what let it in. */
export function refererOf({ exchange, secret }: AccessRecord): string | undefined {
  const referer = getHeader(exchange.headers, 'referer');
  return referer === undefined ? undefined : shownReferer(referer, secret);
}

export function statusOf({ answer, failure }: Pick<AccessRecord, 'answer' | 'failure'>): number {
  return endStatus(answer, failure);
}

/** The gateway's own reason, where the answer is not the service's: a code of the table of errors. */
export function codeOf({ answer, failure, exchange }: AccessRecord): string | null {
  return (answer?.failure ?? exchange.replaced ?? failure)?.code ?? null;
}

/** Why it ended so: the gateway's own reason, or what the cache says of it. For whoever runs the gateway alone. */
export function detailOf({ answer, failure, exchange }: AccessRecord): string | null {
  const why = answer?.failure ?? exchange.replaced ?? failure;
  if (why != null) return why.cause === '' ? why.entry.detail : why.cause;
  return exchange.cache?.detail ?? null;
}

/** Who asks, as an expression would name it. */
export function subjectOf({ identity }: Exchange): string | null {
  return (identity as { readonly subject?: string | null } | null)?.subject ?? null;
}
