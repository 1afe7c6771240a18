import type { ErrorCode, Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';

/** What can be wrong with a call. */
export type TroubleKind =
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'status'
  | 'notJson'
  | 'truncated'
  | 'tooLarge'
  | 'invalid'
  | 'expression';

/** A call that failed. */
export interface Trouble {
  readonly kind: TroubleKind;
  /** Of the service's answer; 0 where there is none. */
  readonly status: number;
  readonly headers: Headers;
  /** What came, decoded, where all of it did. */
  readonly body: Buffer | null;
  /** For logs alone. */
  readonly cause: string;
  /** The client's request is what can't be used: the answer is 400. */
  readonly blame: ErrorCode | null;
}

export function trouble(kind: TroubleKind, cause: string, more: Partial<Trouble> = {}): Trouble {
  return { kind, status: 0, headers: [], body: null, blame: null, cause, ...more };
}

const KINDS: Partial<Record<ErrorCode, TroubleKind>> = {
  TG_UPSTREAM_REFUSED: 'refused',
  TG_UPSTREAM_DNS: 'refused',
  TG_UPSTREAM_TLS: 'refused',
  TG_UPSTREAM_BUSY: 'refused',
  TG_UPSTREAM_UNAVAILABLE: 'refused',
  TG_UPSTREAM_OPEN: 'refused',
  TG_UPSTREAM_RESET: 'reset',
  TG_UPSTREAM_INVALID: 'invalid',
  TG_UPSTREAM_TRUNCATED: 'truncated',
  TG_UPSTREAM_CONNECT_TIMEOUT: 'timeout',
  TG_UPSTREAM_TIMEOUT: 'timeout',
  TG_UPSTREAM_FIRST_BYTE: 'timeout',
  TG_UPSTREAM_IDLE_TIMEOUT: 'timeout',
  TG_UPSTREAM_VALUE: 'expression',
  // Of a route that was asked: its path or conditions don't fit.
  TG_ROUTE_NOT_FOUND: 'expression',
  TG_ROUTE_METHOD: 'expression',
  TG_REQUEST_TARGET: 'expression',
  TG_REQUEST_VALUE: 'expression',
};

/** What an answer that no service gave, or one that broke off, means for its call; null: it is a status like any other. */
export function kindOfFailure(failure: Failure): TroubleKind | null {
  return KINDS[failure.code] ?? null;
}
