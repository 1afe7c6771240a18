import { existsSync } from 'node:fs';
import { CONFIG_FILES } from '../config/index.ts';
import { UsageError } from './usage.ts';

/** The config that is meant: the one that is named, or the only one in this folder. Throws a UsageError. */
export function configFile(named: string | undefined): string {
  if (named !== undefined) return named;
  const found = CONFIG_FILES.filter((file) => existsSync(file));
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const names = `${CONFIG_FILES.slice(0, -1).join(', ')} or ${CONFIG_FILES.at(-1)}`;
    throw new UsageError(
      `there is no ${names} in this folder\nname the file, or write one to start with: tidegate init`,
    );
  }
  throw new UsageError(
    `there are several configs in this folder: ${found.join(', ')}\nname the one that is meant`,
  );
}
