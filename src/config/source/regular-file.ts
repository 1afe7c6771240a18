import { readFileSync, statSync } from 'node:fs';

/** All bytes of a file. Throws for a pipe or a device, which may have no end. */
export function readRegularFile(absolute: string): Buffer {
  const stat = statSync(absolute);
  if (!stat.isFile() && !stat.isDirectory())
    throw Object.assign(new Error('not a regular file'), { code: 'ENOTREG' });
  return readFileSync(absolute);
}

/** The text, without a mark of the order of bytes before it; null where it is none. */
export function utf8Of(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Why a file could not be read, as the end of a sentence that begins with its name. */
export function fileTrouble(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user';
    case 'ENOTREG':
      return 'is not a regular file';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOTDIR':
      return 'has a file where a folder should be in its path';
    case 'ELOOP':
      return 'is a symbolic link that leads to itself';
    default:
      return `cannot be read (${(error as Error).message})`;
  }
}
