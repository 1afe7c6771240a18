import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** How many workers `auto` is: the cores this process may use, by affinity and by its container's quota. */
export function usableCores(quotaFile = '/sys/fs/cgroup/cpu.max'): number {
  return Math.max(1, Math.min(availableParallelism(), quotaCores(quotaFile)));
}

/** cgroup v2: `quota period` in microseconds, or `max period`. Half a core still needs a whole worker. */
function quotaCores(file: string): number {
  try {
    const [quota, period] = readFileSync(file, 'utf8').trim().split(/\s+/);
    const cores = Math.floor(Number(quota) / Number(period));
    return Number.isNaN(cores) ? Number.POSITIVE_INFINITY : Math.max(1, cores);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
