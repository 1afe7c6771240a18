import type { Invalidation } from '../fences/index.ts';

/**
 * Numbers the invalidations of a node and carries each to every holder of a cache. One stands in each node: in
 * the supervisor, or in the process of a gateway that is its own.
 */
export interface SequenceLog {
  /**
   * Resolves with its number once the invalidation is durable and no worker of this node will answer what it
   * unseats. Rejects with an `Unavailable` where the log that nodes share can't be reached: this node then
   * holds it all the same.
   */
  invalidate(what: Invalidation): Promise<number>;
  /** Everything older is dead: a gap, a lost epoch, a source that lost its place. As `invalidate` otherwise. */
  raiseFloor(why: string): Promise<number>;
  state(): SequenceState;
  close(): Promise<void>;
}

export interface SequenceState {
  readonly sequence: number;
  readonly floor: number;
  /** To the log that nodes share; null where there is none. */
  readonly connected: boolean | null;
}

/** The log that nodes share can't be reached. */
export class Unavailable extends Error {
  readonly code = 'UNAVAILABLE';
}

/** To all workers of a node. Each call resolves once every one of them holds it, or its lease has run out. */
export interface FenceHolders {
  apply(number: number, what: Invalidation): Promise<void>;
  raiseFloor(number: number): Promise<void>;
  /**
   * The shared log is complete up to what it held at `asOf` (`clock.now()` of this process): from there the time
   * runs for which tagged answers may still be given from memory.
   */
  synced(asOf: number): void;
}
