import type { BreakerState } from './breaker.ts';

export type TargetMode = 'active' | 'drain';

/** What a worker knows of its services, as plain data for the admin API. */
export interface ServiceDescription {
  name: string;
  breaker: BreakerState;
  /** Requests under way, and those that wait. */
  active: number;
  pending: number;
  /** `error`: why its targets cannot be found now, so that those known last stay. Null: they are listed. */
  discovery: { error: string | null } | null;
  targets: TargetDescription[];
}

export interface TargetDescription {
  name: string;
  weight: number;
  /** `drain`: an operator has taken it out. */
  state: TargetMode;
  health: 'up' | 'down' | 'ejected' | 'warming';
  connections: { open: number; idle: number; inUse: number; waiting: number };
  requests: number;
  failures: number;
  retries: number;
  /** `at`: milliseconds since 1970. */
  lastFailure: { at: number; message: string } | null;
}
