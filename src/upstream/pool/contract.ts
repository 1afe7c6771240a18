import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../http/errors.ts';
import type { Carrier } from '../../http1/index.ts';
import type { Linked } from '../../util/linked-list.ts';
import type { Dial } from './dial.ts';

/** Someone who needs to send a request. Hears exactly one of the two, unless it leaves before. */
export interface Waiter {
  /** The pool's own: its place among those who wait; null while it does not. */
  wish: Wish | null;
  /** It is expected to send at once. */
  connected(carrier: Carrier): void;
  failed(failure: Failure): void;
}

/**
 * Which kept connection will do. A service may be closing one that has been idle while the request is on its
 * way; a request that can't be sent twice must not meet that. `ahead`: any, and, where the pool sends requests
 * ahead, one in use that carries nothing else.
 */
export type Reuse = 'ahead' | 'any' | 'recent' | 'none';

/** What someone waits for. */
export class Wish implements Linked {
  after: Linked | null = null;
  before: Linked | null = null;
  readonly waiter: Waiter;
  readonly reuse: Reuse;
  readonly connectTimeout: number;
  /** The connection being made that it has a place on; null: it waits for whatever comes free. */
  dial: Dial | null = null;

  constructor(waiter: Waiter, reuse: Reuse, connectTimeout: number) {
    this.waiter = waiter;
    this.reuse = reuse;
    this.connectTimeout = connectTimeout;
  }

  /** No connection is being made for it. */
  get isOwed(): boolean {
    return this.dial === null;
  }

  /** What comes free is for it as well: one that is to have a fresh connection waits for that, once it is being made. */
  get isInLine(): boolean {
    return this.reuse !== 'none' || this.isOwed;
  }
}

/** A connection idle for less than this is as good as fresh, in ms. */
export const RECENT = 1000;

export interface PoolSettings {
  /** Or the path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** As `tls.connect` takes it; null for plain TCP. */
  readonly tls: ConnectionOptions | null;
  readonly connections: number;
  /** Milliseconds that an idle connection is kept. */
  readonly idle: number;
}

/** Connections of one kind to one target. */
export interface Pool {
  /** Requests that are under way, or wait for a connection. */
  readonly load: number;
  counts(): ConnectionCounts;
  acquire(waiter: Waiter, reuse: Reuse, connectTimeout: number): void;
  /** The waiter wants no connection any more. */
  leave(waiter: Waiter): void;
  /** The target is drained, or in no config any more: what is under way ends, nothing is kept. */
  retire(): void;
  /** Connections are kept again. */
  revive(): void;
  /** Ends everything. */
  destroy(): void;
}

export interface ConnectionCounts {
  open: number;
  idle: number;
  inUse: number;
  /** Requests that wait for one. */
  waiting: number;
}

/** What whoever waits is told. */
export function endOfPool(): Failure {
  return new Failure('TG_DRAINING', 'the connections to its target are being closed');
}
