import { randomFillSync } from 'node:crypto';

/** Where chance comes from. Handed in, so that a test can fix it. */
export interface Random {
  /** A number in [0, 1), for choices that nobody gains by guessing. */
  number(): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

const pool = Buffer.alloc(4096);
let digits = '';
let used = 0;

/** Bytes are drawn from the system 4 KiB at a time, and spelled at once: an id for each request costs no call. */
function hex(bytes: number): string {
  const from = used;
  used += 2 * bytes;
  if (used > digits.length) return drawn(bytes);
  return digits.slice(from, used);
}

function drawn(bytes: number): string {
  digits = randomFillSync(pool).toString('hex');
  used = 2 * bytes;
  return digits.slice(0, used);
}

export const systemRandom: Random = { number: Math.random, hex };
