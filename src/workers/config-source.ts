import { RemoteError } from './channel.ts';
import { type ConfigReading, ConfigRefused, isCode, type ReadConfig } from './config-reading.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Reads the config where it may be read: data in this process, a program in a fresh worker (importing it again
 * here would leak, and would not see a changed file that it imports). Throws `ConfigRefused`.
 */
export async function readWith(
  file: string,
  readConfig: ReadConfig,
  worker: WorkerProcess | null,
): Promise<ConfigReading> {
  if (!isCode(file) || worker === null) return readConfig(file);
  try {
    return await worker.load(file);
  } catch (error) {
    if (error instanceof RemoteError && error.report !== undefined)
      throw new ConfigRefused(error.report, error.files ?? [file]);
    throw error;
  }
}
