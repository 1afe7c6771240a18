import type { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { Clock } from '../util/clock.ts';
import type { ServerConnection } from './server-connection.ts';

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

/** What the connections of one listener share. */
export interface ServerContext {
  readonly clock: Clock;
  readonly limits: ServerLimits;
  /** Requests under way are answered with `Connection: close`, no new ones are read. */
  readonly draining: boolean;
  readonly connections: Set<ServerConnection>;
  /** Takes a request; answers through `exchange.responder`. */
  handle(exchange: Exchange): void;
  /** The answer to what could not be read as a request. */
  refuse(exchange: Exchange, failure: Failure): Reply;
}
