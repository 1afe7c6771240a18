/** What one read of a connection lands in, in bytes. */
export const READ_SIZE = 64 * 1024;
/** How many are kept for connections to come. */
const KEPT = 64;

const kept: Buffer[] = [];

/**
 * Memory for the reads of a connection. That of one that has ended is used again: where each request costs a
 * connection, as with a service that does not answer, the garbage collector would stop all others for it.
 */
export function takeReadMemory(): Buffer {
  return kept.pop() ?? Buffer.allocUnsafeSlow(READ_SIZE);
}

/** Nothing reads into it any more, and nobody looks at it. */
export function giveReadMemory(memory: Buffer): void {
  if (kept.length < KEPT) kept.push(memory);
}
