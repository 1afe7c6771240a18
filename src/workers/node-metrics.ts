import type { OrderCount } from '../acme/index.ts';
import type { SourceDescription } from '../changes/index.ts';
import type { ProcessState } from '../telemetry/index.ts';
import type { ServiceDescription } from '../upstream/index.ts';
import type { CacheView } from './cache-view.ts';
import type { ShownCertificate } from './shown-certificates.ts';

/** What one worker tells of itself, asked on the topic `state`. */
export interface WorkerState extends ProcessState {
  readonly worker: number;
  /** Open connections of clients. */
  readonly connections: number;
  readonly auth: AuthOutcomes;
}

/** What providers made of credentials, by the provider's name and by outcome. */
export type AuthOutcomes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** All that `/metrics` tells. */
export interface NodeMetrics {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly loadedAt: number;
  /** Configs read anew, by `ok` and `refused`. */
  readonly reloads: Readonly<Record<'ok' | 'refused', number>>;
  readonly certificates: readonly ShownCertificate[];
  /** Certificates that were asked of an authority. */
  readonly orders: readonly OrderCount[];
  /** Rows of counters by route, what no route took among them. */
  readonly routes: ReadonlyMap<string, Float64Array>;
  /** Times of phases of all routes together, those that are no longer there too. */
  readonly phases: Float64Array;
  readonly services: readonly ServiceDescription[];
  /** Workers that serve, those among them that did not answer. */
  readonly serving: number;
  readonly cache: CacheView;
  readonly changes: readonly SourceDescription[];
  readonly workers: readonly WorkerState[];
  readonly auth: AuthOutcomes;
}
