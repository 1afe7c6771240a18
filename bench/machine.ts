import { accessSync, constants } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where a program stands, or null where it is not installed. */
export function findProgram(name: string): string | null {
  // Debian keeps nginx and haproxy where only root's PATH looks.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Look further.
    }
  }
  return null;
}

/** A program with its arguments. */
export type Command = [program: string, ...args: string[]];

/**
 * The gateway under test has one core for itself; the load and the origin share the other. Without
 * taskset or a second core nothing is pinned, and the figures are noisier.
 */
export const pinned = availableParallelism() > 1 && findProgram('taskset') !== null;

export function onGatewayCore(command: Command): Command {
  return pinned ? ['taskset', '-c', '0', ...command] : command;
}

export function onLoadCore(command: Command): Command {
  return pinned ? ['taskset', '-c', '1', ...command] : command;
}

export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${model}, ${availableParallelism()} cores, Node ${process.versions.node}${pinned ? '' : ', not pinned'}`;
}
