import type { LabProcess } from '../../src/testkit/index.ts';
import type { Bench } from '../bench.ts';

export interface PeerSetup {
  port: number;
  originPort: number;
  /** Paths of PEM files: it listens with TLS. */
  tls?: { cert: string; key: string };
  /** Added to its environment. */
  env?: Record<string, string>;
}

/** A gateway that takes part in a comparison: one worker, on one core, proxying everything to one origin. */
export interface Peer {
  readonly name: string;
  /** What to install where it isn't there; null: ready. */
  missing(): string | null;
  start(bench: Bench, setup: PeerSetup): Promise<LabProcess>;
}
