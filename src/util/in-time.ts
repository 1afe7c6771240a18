import type { Clock, Timer } from './clock.ts';

/**
 * What some work gives, or, where it takes longer than `ms`, what `late` gives or throws. The work itself goes on:
 * whoever must end it does so in `late`. Like every timer of a clock, this one keeps no process alive.
 */
export async function inTime<T, L = never>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> {
  let timer: Timer | undefined;
  const over = new Promise<void>((resolve) => {
    timer = clock.after(ms, resolve);
  }).then(late);
  try {
    return await Promise.race([work, over]);
  } finally {
    clock.cancel(timer!);
  }
}
