/**
 * Numbers that Redis hands out are this far apart. Between two of them a node that can't reach Redis numbers its
 * own invalidations: greater than all that it has seen, smaller than all that it has missed.
 */
export const STEP = 4096;
