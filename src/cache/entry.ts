import type { Headers } from '../http/headers.ts';
import type { HitAnswer } from './flow/hit.ts';

/** All of an entry that follows from the head of the answer. Times are of the wall clock, in ms; lifetimes in s. */
export interface KeptHead {
  readonly status: number;
  /** End-to-end ones, without Age. */
  readonly headers: Headers;
  /** When the request for it was sent. */
  readonly requestAt: number;
  /** When its head came. */
  readonly responseAt: number;
  /** Its age when it came (corrected_initial_age, RFC 9111 §4.2.3). */
  readonly ageAtResponse: number;
  /** Freshness lifetime as decided when it was stored; Infinity: fresh for ever. */
  readonly lifetime: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  /** It must never be served stale (must-revalidate, proxy-revalidate, s-maxage). */
  readonly mustRevalidate: boolean;
  /** Each use is validated first (`no-cache` without fields). */
  readonly noCache: boolean;
  /** Lower-case names in its Vary, and the request's values of them, normalised. */
  readonly varyOn: readonly string[];
  readonly varyValues: readonly (string | undefined)[];
  /** The answer to the client says `private`. */
  readonly private: boolean;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** While fresh, a plain reload (`max-age` of the client) is answered from it (RFC 8246). */
  readonly immutable?: boolean;
}

/** A stored answer. Never changed, but for `aliveAt` and `hits`: what a 304 or HEAD updates makes a new one. */
export interface Entry extends KeptHead {
  /** The whole content. */
  readonly body: Buffer;
  readonly tags: readonly string[];
  /** Number of the newest invalidation when its fill began: taken before the origin was read. */
  readonly sequence: number;
  /** Absolute, as clients ask for it: what purges by URL or prefix name. */
  readonly url: string;
  /** Of this process alone: the key that the store in memory keeps it under. */
  readonly key?: string | undefined;
  /** Of this process alone: the version of the fences (`Fences.version`) that last found it alive. */
  aliveAt?: number | undefined;
  /** Of this process alone: how it is answered, made at the first hit. */
  hits?: HitAnswer | undefined;
}
