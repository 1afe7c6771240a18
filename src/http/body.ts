import type { Failure } from './errors.ts';
import type { Headers } from './headers.ts';

/**
 * A message's content: none, bytes that are at hand, or a source that is opened once.
 *
 * A source pushes into a sink, and the sink holds it back. That is the cheapest shape on a socket, and
 * all others (tee, replay, count, collect) are sinks and sources around it.
 */
export type Body = null | Buffer | BodySource;

export interface BodySource {
  /** Bytes to come if the framing tells, else -1. */
  readonly length: number;
  /** Begins delivery into `sink`. Once only. May deliver before it returns. */
  open(sink: BodySink): void;
  /** Asks for more, after `write` returned false. May deliver before it returns. */
  resume(): void;
  /**
   * No more is wanted. Nothing reaches the sink afterwards, and whoever is sending is told
   * (its socket ends). Allowed at any time, also without `open`, also twice.
   */
  cancel(): void;
}

/**
 * Where a body goes. Exactly one of `end` and `fail` is the last call.
 */
export interface BodySink {
  /**
   * Takes one chunk. False: hold back until the sink calls `resume()` on its source.
   *
   * The bytes may be overwritten once the call returns: a sink that still needs them then either copies
   * them or calls `retain()`.
   */
  write(chunk: Buffer, retain: Retain): boolean;
  /** All of it came. `trailers` where the sender had some. */
  end(trailers: Headers | null): void;
  /** It broke off: what was delivered is not the whole. */
  fail(failure: Failure): void;
}

/** Hands the memory of the chunk just written over to the sink: the source takes fresh memory. */
export interface Retain {
  retain(): void;
}

/** For sources whose chunks are never overwritten. */
export const retained: Retain = { retain() {} };

/** How many bytes a body will have: 0 for none, -1 where only its end tells. */
export function bodyLength(body: Body): number {
  return body === null ? 0 : body.length;
}

export function cancelBody(body: Body): void {
  if (isSource(body)) body.cancel();
}

export function isSource(body: Body): body is BodySource {
  return body !== null && !Buffer.isBuffer(body);
}

/** Opens any body into a sink: bytes at hand are delivered at once. */
export function openBody(body: Body, sink: BodySink): void {
  if (isSource(body)) return body.open(sink);
  if (body !== null && body.length > 0) sink.write(body, retained);
  sink.end(null);
}
