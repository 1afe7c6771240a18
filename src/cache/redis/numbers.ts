/**
 * Numbers that Redis hands out are this far apart. Between two of them a node that can't reach Redis numbers its
 * own invalidations: greater than all that it has seen, smaller than all that it has missed.
 */
export const STEP = 4096;

/** The last number of Redis up to one of a node's own, which says nothing to other nodes. */
export function sharedNumber(number: number): number {
  return Math.floor(number / STEP) * STEP;
}
