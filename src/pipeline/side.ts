import type { RetriesConfig } from '../config/model.ts';
import type { Variables } from '../expression/index.ts';
import type { Body } from '../http/body.ts';
import type { Failure } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import type { Service } from '../upstream/index.ts';
import type { Affinity } from './affinity.ts';
import type { Destination } from './destination.ts';
import type { HeaderTransform } from './transform.ts';

/** Milliseconds, Infinity for none. */
export interface Timeouts {
  readonly response: number;
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
}

/** What a service is told of who asks, and which of the client's headers could be taken for that. */
export interface Handover {
  /** The client's headers without what only the gateway may say; the very same list where there is nothing of it. */
  without(exchange: Exchange, headers: Headers): Headers;
  /** The same for what may follow the content. */
  withoutTrailers(exchange: Exchange, body: Body): Body;
  /** Lines of a request's head, each with its CRLF; '' where nothing is said. */
  lines(exchange: Exchange): string;
}

/** What the gateway shows a service of itself. */
export interface ServiceCredential {
  /** Null where it is at hand; else told once it is, or why it can't be had. */
  ready(): Promise<Failure | null> | null;
  /** The line of a request's head, with its CRLF. */
  line(): string;
  /** The service said 401. */
  refused(): void;
}

/** One service that a route sends to, with all that the route and the service say about it. */
export interface Side {
  readonly service: Service;
  readonly destination: Destination;
  /** Null: as the client's. */
  readonly method: string | null;
  /** Null: the client's own. `service`: the name in the target's URL. */
  readonly host: null | 'service' | ((vars: Variables) => string);
  readonly timeouts: Timeouts;
  /** `total` counts from sending, not from waiting for a place: a call of an aggregate. Absent: from the beginning. */
  readonly totalFromSending?: boolean;
  readonly retries: RetriesConfig;
  /** What consistent hashing goes by; null where the balance asks for none. */
  readonly balanceKey: ((exchange: Exchange, vars: Variables) => string | null) | null;
  /** A cookie keeps a client on its target. */
  readonly affinity: Affinity | null;
  /** Cookies of the gateway's own, which are not sent on. */
  readonly ownCookies: readonly string[];
  /** Null: nothing is told, and nothing but the gateway's usual two headers kept out. */
  readonly handover: Handover | null;
  /** Null: the gateway shows nothing of its own. */
  readonly credential: ServiceCredential | null;
  readonly request: HeaderTransform | null;
  readonly response: HeaderTransform | null;
}
