import type { Invalidation } from '../cache/index.ts';
import type { GatewayConfig } from '../config/model.ts';
import type { Counters, Logger } from '../telemetry/index.ts';
import type { Discover, Lookup } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { LeaseView, WorkerBus } from '../workers/index.ts';

/** What a gateway is made of. */
export interface GatewayParts {
  config: GatewayConfig;
  clock: Clock;
  random: Random;
  log: Logger;
  counters: Counters;
  /** Signs the cookies that keep a client where it was; equal in all workers of a node. Default: random. */
  affinityKey?: string;
  /** Workers of this node, which share its limits. */
  shareOf?: number;
  /** To the supervisor and its other workers; a gateway by itself has none. */
  bus?: WorkerBus;
  /** May it answer from memory? Default: always. */
  lease?: LeaseView;
  /** Numbers an invalidation where there is no bus to a supervisor that does. */
  invalidate?: (what: Invalidation) => Promise<unknown>;
  /** Tells that a client has written, where there is no bus to a supervisor that does. */
  wrote?: (source: string, key: string) => Promise<unknown>;
  /** How names are followed that stand for targets, where not by DNS. */
  discover?: Discover;
  /** How names become addresses, where not as the system does it. */
  lookup?: Lookup;
}
