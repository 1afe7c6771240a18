import type { DiscoverConfig } from '../../config/model.ts';

/** A place that a name stands for now. */
export interface DiscoveredTarget {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** Of one name no more are taken. */
export const MOST_TARGETS = 4096;

/** Nothing stands under the name, says who should know: then what was known last does not go on, either. */
export class NothingThere extends Error {}

/** Hears the places, none of them included, and in how many ms to ask again; of an error likewise when. */
export type Discovered = (error: Error | null, targets: DiscoveredTarget[], again: number) => void;

/**
 * Asks once, until `signal` says that nobody wants to know any more, which also ends what stays open between answers.
 * Replaced in tests.
 */
export type Discover = (config: DiscoverConfig, done: Discovered, signal: AbortSignal) => void;
