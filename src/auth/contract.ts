import type { Identity as Seen } from '../expression/index.ts';
import type { Failure } from '../http/errors.ts';
import type { Exchange, StepTrace } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import type { Binding } from './binding.ts';

/** Who asks, as a provider found it. Shared by all requests with the same credential, so never changed. */
export interface Identity extends Seen {
  readonly provider: string;
  /** Milliseconds since 1970 at which the credential ends; null: it doesn't by itself. */
  readonly expiresAt: number | null;
  /** SHA-256 of the credential, in hexadecimal digits. */
  readonly tokenHash: string | null;
  /** What revokes it: `subject:S`, `token:HASH`, and what the provider's `tags` say. */
  readonly tags: readonly string[];
  /** The number of the newest invalidation when it was found out; null: it is found out with each request. */
  readonly sequence: number | null;
  /** What it holds with alone; null or absent: nothing in particular. */
  readonly boundTo?: Binding | null;
  /** Lines of the provider's answer that go on to the service. */
  readonly toService: Headers;
  /** Lines of the provider's answer that go back to the client. */
  readonly toClient: Headers;
}

/** Where in a request a credential stood. Names of headers are in lower case. */
export interface Place {
  readonly in: 'header' | 'query' | 'cookie' | 'connection';
  readonly name: string;
}

/** What a client shows of itself. Never printed. */
export interface Credential {
  readonly value: string;
  readonly place: Place;
  /** It was shown under the scheme DPoP, so a proof of possession comes with it (RFC 9449 §7.1). */
  readonly dpop?: true;
}

/** A credential that stands twice: nobody can say which one counts. */
export const AMBIGUOUS = Symbol('ambiguous');

export type Decision =
  | { readonly kind: 'allowed'; readonly identity: Identity }
  /** It is no good. Why is for the log alone: nothing in the answer tells whether such a credential exists. */
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly why: string }
  /** What the auth service answered goes to the client as it is. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Headers; readonly body: Buffer }
  /** Nobody could say: closed, never through. */
  | { readonly kind: 'unavailable'; readonly failure: Failure };

/** A challenge of `WWW-Authenticate` (RFC 9110 §11.6.1). */
export interface Challenge {
  readonly scheme: string;
  readonly params: readonly (readonly [name: string, value: string])[];
}

/** Tells who is asking, from one kind of credential. */
export interface Provider {
  readonly name: string;
  readonly kind: string;
  /** What is taken off a request once it has counted, and masked where requests are shown. */
  readonly places: readonly Place[];
  /** Lower-case names of headers that only this provider may give to services. */
  readonly serviceHeaders: readonly string[];
  /** Lower-case names of headers that it reads beside the places of its credential. */
  readonly readHeaders?: readonly string[];
  /** Lower-case names of headers in which it tells its server of the request: a client's own go to nobody. */
  readonly askingHeaders?: readonly string[];
  readonly challenge: Challenge;
  /** A client can find its auth server by itself (RFC 9728). */
  readonly discoverable: boolean;
  /** Unsafe requests from pages of other origins count too. */
  readonly crossSite: boolean;
  /** Is this its kind of credential? If so its decision stands. */
  recognises(exchange: Exchange): Credential | typeof AMBIGUOUS | null;
  /** Does anything stand where it looks, be it recognised or not? */
  isAddressed(exchange: Exchange): boolean;
  /**
   * @param places Of all the route's providers, so that none of their credentials is told to another.
   * @param trace Where it is recorded whom it asks; null: nowhere.
   */
  authenticate(
    credential: Credential,
    exchange: Exchange,
    places: readonly Place[],
    trace: StepTrace | null,
  ): Decision | Promise<Decision>;
  /** What can be said of a credential without asking anybody: for `explain`. */
  describe(): string;
  close(): void;
}

/** What decisions are held against: the fences of the cache, so that a purge or a change event revokes. */
export interface RevocationFences {
  /** Number of the newest invalidation. */
  readonly sequence: number;
  /** Another number: something was invalidated since. */
  readonly version: number;
  /** Has anything in it been invalidated since? Also where that can't be known. */
  isDead(entry: Revocable): boolean;
  /** May something have been, since a change could not say what it touched? */
  isDoubtful(entry: Revocable): boolean;
}

export interface Revocable {
  readonly sequence: number;
  readonly tags: readonly string[];
  readonly url: string;
}

/** Whether what was found out before may be used: false where a revocation may have been missed. */
export interface Remembrance {
  mayAnswer(tags: readonly string[]): boolean;
  /** Another number: another sequence has begun, and nothing of the old one may be used. */
  life(): number;
}

/** What nodes keep together, under the fences of the cache. */
export interface SharedRecords {
  /** Null: nothing that still holds, or nobody can tell in time. Never rejects. */
  get(key: string): Promise<SharedRecord | null>;
  /** In the background, bounded. */
  put(key: string, record: SharedRecord): void;
  delete(key: string): void;
}

export interface SharedRecord {
  readonly bytes: Buffer;
  readonly tags: readonly string[];
  readonly sequence: number;
  /** Milliseconds since 1970 at which it goes. */
  readonly until: number;
}

/**
 * Has anybody who shares this memory seen the name before? From now on they have, for `forMs` milliseconds. Ends in
 * time, and never rejects; `away`: nobody can tell.
 */
export type SharedSeen = (name: string, forMs: number) => Promise<'first' | 'again' | 'away'>;

/** For those who miss nothing. */
export const ALWAYS: Remembrance = { mayAnswer: () => true, life: () => 0 };

/** Where nothing is ever purged. */
export const NO_FENCES: RevocationFences = {
  sequence: 0,
  version: 0,
  isDead: () => false,
  isDoubtful: () => false,
};
