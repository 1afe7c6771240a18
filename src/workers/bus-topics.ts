import type { Invalidation } from '../cache/index.ts';
import type { BreakerChange, TargetEjection } from '../upstream/index.ts';

/**
 * What goes over the bus: about targets (which are drained among it, and what of it stands when a worker comes), whether requests are welcome at the node, the
 * state of caches (asked of workers), invalidations (told to them), and what they ask: to number an invalidation,
 * where the sequence stands, and how long tagged answers may be given; what is known of change sources (told to
 * workers, and asked by them); certificates that the node got by itself, and what shows an authority that their hosts
 * are its own (told to workers, and asked by them); that log files are to be opened anew; what moved (told by workers,
 * for the series of the node); connections of clients (told by workers, which hear how many the node has); and what the
 * log is told once, whoever finds it out.
 */
export const TOPICS = {
  health: 'health',
  ejected: 'ejected',
  returned: 'returned',
  breaker: 'breaker',
  failed: 'failed',
  standing: 'standing',
  drained: 'drained',
  ready: 'ready',
  cache: 'cache',
  fences: 'fences',
  invalidate: 'invalidate',
  sequence: 'sequence',
  changes: 'changes',
  wrote: 'wrote',
  writes: 'writes',
  certificates: 'certificates',
  proofs: 'proofs',
  reopen: 'reopen',
  state: 'state',
  requests: 'requests',
  series: 'series',
  seen: 'seen',
  clientEntered: 'clientEntered',
  clientLeft: 'clientLeft',
  news: 'news',
} as const;

/** That a client has written, as a worker tells it. */
export interface Wrote {
  source: string;
  key: string;
}

/** An invalidation under its number, as it goes to workers; `what` null: the floor rises to it; `reset`: another sequence begins. */
export type FenceNews = { number: number; what: Invalidation | null } | { reset: true };

/** What a worker is told of the sequence. */
export interface SequenceNews {
  number: number;
  /** Not all that was invalidated is known to Redis: who comes new trusts nothing that is older. */
  distrust: boolean;
  /** Milliseconds, from when it asked, for which tagged entries may be answered; null: without bound. */
  syncedFor: number | null;
  /** Where that sequence stands (`placeOf`): it may be another than the one of the worker's config for a moment. */
  place: string;
}

/** A name that counts once on this node, until then (ms since 1970). Answered with whether it was new. */
export interface SeenName {
  name: string;
  until: number;
}

/** What workers have found out of services and what still holds, for one that comes new. */
export interface Standing {
  /** `forMs`: what is left of it. */
  ejected: TargetEjection[];
  /** Those that are not closed, and for how many ms they have been so. */
  breakers: (BreakerChange & { ago: number })[];
}
