import type { Socket } from 'node:net';
import type { GatewayConfig } from '../config/model.ts';
import type { Explained, ExplainRequest } from '../snapshot/index.ts';
import type { Counters, Logger } from '../telemetry/index.ts';
import type { ServiceDescription } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';

/**
 * What a worker process runs: one gateway, that listens on handles given to it. `src/gateway/` builds it;
 * the workers know no more of it than this.
 */
export interface WorkerGateway {
  /**
   * Accepts on a listener of the config: `handle` goes to `net.Server.listen(handle, BACKLOG)`. Resolves when
   * connections are accepted; rejects with the server's error (EADDRINUSE).
   */
  listen(name: string, handle: ListeningHandle): Promise<void>;
  /**
   * Only where the platform can't hand over a listening handle: the listener is there without a handle,
   * and takes connections that another process accepted.
   */
  accept(name: string, socket: Socket): void;
  /**
   * Accepts no more on it. Its idle connections close, what is under way ends with `Connection: close`,
   * tunnels and streams go on.
   */
  unlisten(name: string): void;
  /** Swaps in another config; rejects, and changes nothing, if it does not compile. */
  reload(config: GatewayConfig): Promise<void>;
  /**
   * All listeners close, what is under way has `timeoutMs` (Infinity: as long as it takes) to end. Resolves
   * when no connection is left, with how many had to be cut. May be called again with another time:
   * the newest holds for all callers.
   */
  drain(timeoutMs: number): Promise<{ cut: number }>;
  /** Open client connections. */
  connections(): number;
  /** What this worker knows of its services and their targets. */
  describe(): ServiceDescription[];
  /** What would become of a request; throws `BadRequest` for one that makes no sense. */
  explain(request: ExplainRequest): Explained;
}

/** An open socket that listens, opaque: `net.Server.listen` takes it. */
export type ListeningHandle = object;

/** The environment variable in which a worker finds its number. */
export const NUMBER_VARIABLE = 'TIDEGATE_WORKER';

/**
 * The environment variable that holds the node's key for its own cookies: made by the supervisor, the same in
 * each worker and in a successor.
 */
export const KEY_VARIABLE = 'TIDEGATE_NODE_KEY';

/** What a worker is told to begin with. */
export interface StartMessage {
  /** Null: what it loaded itself. */
  readonly config: GatewayConfig | null;
  /** Workers of the node. */
  readonly workers: number;
}

/** Environment variable of the supervisor in which it keeps how many workers its node has. */
export const COUNT_VARIABLE = 'TIDEGATE_WORKERS';

/** Connections that wait to be accepted; the system may allow fewer (somaxconn). */
export const BACKLOG = 4096;

/** What a worker gives its gateway. */
export interface WorkerParts {
  config: GatewayConfig;
  clock: Clock;
  random: Random;
  log: Logger;
  counters: Counters;
  lease: LeaseView;
  /** Workers of this node, which share its limits. */
  shareOf?: number;
  /** Signs the cookies that keep a client where it was; equal in all workers of a node. Default: random. */
  affinityKey?: string;
  bus: WorkerBus;
}

export type CreateGateway = (parts: WorkerParts) => WorkerGateway | Promise<WorkerGateway>;

/** May this worker answer from what it remembers? Only while it is sure to have heard of every change. */
export interface LeaseView {
  /** Reads the clock at each call. */
  holds(): boolean;
}

/** A worker's end of the bus. Values are anything that structured cloning can carry. */
export interface WorkerBus {
  /** What the supervisor broadcasts on a topic; it counts as acknowledged once `handle` is through. */
  on(topic: string, handle: (value: unknown) => unknown): void;
  /** Asks the supervisor; rejects when it does not answer within `deadlineMs`. */
  ask(topic: string, value: unknown, deadlineMs?: number): Promise<unknown>;
}
