import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { residentBytes } from './process-stats.ts';
import { until } from './waiting.ts';

/** The environment in which processes of Node collect their garbage when `settledMemory` asks for it. */
export function collectable(folder: string): Record<string, string> {
  const preload = new URL('./collect-on-signal.ts', import.meta.url).href;
  return { NODE_OPTIONS: `--expose-gc --import ${preload}`, TIDEGATE_COLLECTED: folder };
}

/**
 * Resident bytes of these processes, after those of Node that run `collectable(folder)` have collected their
 * garbage: what they hold, not what they happen not to have swept.
 */
export async function settledMemory(pids: readonly number[], folder: string): Promise<number> {
  for (const pid of pids) {
    const mark = join(folder, String(pid));
    rmSync(mark, { force: true });
    process.kill(pid, 'SIGCONT');
    await until(() => existsSync(mark), 'a collection', 3_000).catch(() => {
      // Not a Node process: it has nothing to collect.
    });
  }
  return residentBytes(pids);
}
