import type { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Clock } from '../util/clock.ts';
import type { Linked, LinkedList } from '../util/linked-list.ts';

/** Bytes, milliseconds; Infinity for none. */
export interface ServerLimits {
  uri: number;
  head: number;
  headers: number;
  body: number;
  headTimeout: number;
  bodyTimeout: number;
  sendTimeout: number;
  /** Bytes a second over 10 s; 0 for none. */
  minRate: number;
  idleTimeout: number;
}

/** A client's connection, whatever protocol it speaks. */
export interface OpenConnection extends Linked {
  /** Nothing is under way. */
  readonly idle: boolean;
  /** All that was asked has been answered; it only waits for the client to close. */
  readonly ending: boolean;
  /** Ends at once when idle, else with the answers that are under way. */
  drain(): void;
  /** Ends whatever is under way. */
  destroy(): void;
}

/** What the connections of one listener share. */
export interface ServerContext {
  readonly clock: Clock;
  readonly limits: ServerLimits;
  /** Requests under way are answered with `Connection: close`, no new ones are read. */
  readonly draining: boolean;
  readonly connections: LinkedList<OpenConnection>;
  /** Takes a request; answers through `exchange.responder`. */
  handle(exchange: Exchange): void;
  /** The answer to what could not be read as a request. */
  refuse(exchange: Exchange, failure: Failure): Reply;
}
