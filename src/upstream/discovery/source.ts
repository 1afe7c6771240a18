import type { DiscoverConfig } from '../../config/model.ts';

/** A place that a name stands for now. */
export interface DiscoveredTarget {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** Hears the places, none of them included, and in how many ms to ask again; of an error likewise when. */
export type Discovered = (error: Error | null, targets: DiscoveredTarget[], again: number) => void;

/** Asks once, until `signal` says that nobody wants the answer any more. Replaced in tests. */
export type Discover = (config: DiscoverConfig, done: Discovered, signal: AbortSignal) => void;
