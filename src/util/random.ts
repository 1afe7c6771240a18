import { randomFillSync } from 'node:crypto';

/** Where chance comes from. Handed in, so that a test can fix it. */
export interface Random {
  /** A number in [0, 1), for choices that nobody gains by guessing. */
  number(): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Bytes are drawn from the system 4 KiB at a time: an id for each request costs no system call. */
function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

export const systemRandom: Random = { number: Math.random, hex };
