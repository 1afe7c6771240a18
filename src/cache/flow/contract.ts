import type { Failure } from '../../http/errors.ts';
import type { Exchange, Reply, SpanContext, StepTrace } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { RoutePolicy } from '../policy/index.ts';
import type { RefreshCounter, Refreshes } from '../refresh/index.ts';

/** Takes an answer. `T`: what is done to it on its way out, opaque here: it is not stored. */
export interface Out<T> {
  finish(exchange: Exchange, answer: Reply, transform: T): void;
  /** Its answer is waited for at a fill that is recorded. Absent: nobody records it. */
  joined?(fill: SpanContext): void;
  /** What it waited for is no answer to its request. Absent: the cache looks once more, as if it came only now. */
  again?(): void;
}

/** Asks the origin: a service, or an aggregate. */
export type Origin<T> = (exchange: Exchange, out: Out<T>) => void;

/** The key of an exchange, or why it has none: then its answer is neither taken from the cache nor stored. */
export type KeyOf = (exchange: Exchange) => Keyed;

export interface Keyed {
  /** Null: `vary` or `private` gave no value. */
  readonly key: string | null;
  /** Absolute, as purges name it. */
  readonly url: string;
  /** `host[:port]`, in lower case: what the service is told. */
  readonly authority: string;
  /** Without the parameters that are not in the key. */
  readonly query: string | null;
}

/** Of an exchange that has a key. */
export type FullKey = Keyed & { readonly key: string };

/** What a route says of caching, compiled. */
export interface CacheRules<T> {
  readonly policy: RoutePolicy;
  readonly keyOf: KeyOf;
  /** A hash of the body stands in the key. */
  readonly body: boolean;
  /** What is sent to the origin of the client's headers; in place. */
  readonly clean: (headers: Headers) => void;
  readonly cookies: CookieRule;
  /** Cookies that the gateway itself sets and reads: no service sees them, so they tell nobody's answers apart. */
  readonly ownCookies: readonly string[];
  /** `store`; null: always. A failure is a refusal. */
  readonly store: ((exchange: Exchange, answer: Answered) => boolean) | null;
  /** Null: a tag expression failed, was empty, or yielded too many. */
  readonly tags: ((exchange: Exchange, answer: Answered) => string[] | null) | null;
  /** Known before the answer is: null where a tag depends on the answer. */
  readonly requestTags: ((exchange: Exchange) => string[] | null) | null;
  /** `store` or `tags` look into the body: then an answer waits until all of it is there. */
  readonly looksIntoBody: boolean;
  /** A provider may have authenticated the exchange. */
  readonly authenticated: (exchange: Exchange) => boolean;
  /** How long a request waits for another one's fill, in ms. */
  readonly patience: number;
  /** Null: no hit is compared with the origin. */
  readonly audit: AuditRule | null;
  /** Null: what a change unseats is filled when it is asked for. */
  readonly refresh: RefreshRule | null;
  /** What is done to answers that come from the cache. */
  readonly transform: T;
}

/** How hits of a route are compared with what the origin says. */
export interface AuditRule {
  readonly route: string;
  /** 0 to 1: which share of them. */
  readonly share: number;
  /** The first; null: they are the same, but for what the route ignores. */
  difference(kept: Answered, origin: Answered): Difference | null;
  readonly counter: { audited(): void; mismatched(): void };
}

/** How entries that are asked for often are filled again once a change has unseated them. */
export interface RefreshRule {
  readonly refreshes: Refreshes;
  readonly counter: RefreshCounter;
  /**
   * Gives a request that is kept what is needed of the one that it was made of. Bytes that this takes up; null: that can't
   * be kept.
   */
  equip(client: Exchange, request: Exchange): number | null;
  /** A trace of its own for a fill; null: it is not recorded. */
  trace(): StepTrace | null;
}

/** Where two answers differ, and by what, for people. */
export interface Difference {
  readonly at: string;
  readonly kept?: string;
  readonly origin?: string;
}

/** Which cookies reach the origin: all, none, or those in the key. */
export type CookieRule = 'all' | 'none' | readonly string[];

/** An answer as expressions see it; `body` null where they don't look into it. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer | null;
}

/** Makes the gateway's own answer to a request that failed. */
export type Problem = (failure: Failure, id: string, extra?: Readonly<Record<string, unknown>>) => Reply;
