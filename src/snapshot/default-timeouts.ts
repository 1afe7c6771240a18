import type { Timeouts } from '../pipeline/index.ts';

/** Where neither the service nor the route says any. Milliseconds. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  response: 30_000,
  connect: 1_000,
  firstByte: Number.POSITIVE_INFINITY,
  idle: 60_000,
  total: Number.POSITIVE_INFINITY,
};
