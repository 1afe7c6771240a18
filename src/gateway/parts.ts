import type { Invalidation } from '../cache/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Discover, Lookup } from '../upstream/index.ts';
import type { WorkerParts } from '../workers/index.ts';

/** What a gateway is made of: what each worker has, but that one by itself has neither supervisor nor lease. */
export interface GatewayParts extends Omit<WorkerParts, 'bus' | 'lease'> {
  /** To the supervisor and its other workers. */
  bus?: WorkerParts['bus'];
  /** May it answer from memory? Default: always. */
  lease?: WorkerParts['lease'];
  /** For what others find out, too, where there is no bus to a supervisor that hears of it. Default: `log`. */
  news?: Logger;
  /** Numbers an invalidation where there is no bus to a supervisor that does. */
  invalidate?: (what: Invalidation) => Promise<unknown>;
  /** Tells that a client has written, where there is no bus to a supervisor that does. */
  wrote?: (source: string, key: string) => Promise<unknown>;
  /** How names are followed that stand for targets, where not by DNS. */
  discover?: Discover;
  /** How names become addresses, where not as the system does it. */
  lookup?: Lookup;
}
