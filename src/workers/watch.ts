import { type FSWatcher, watch } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const DEBOUNCE = 50;
/** Where the system tells nothing (network file systems, too many watches), this finds it out. */
const POLL = 1000;
/** Links that lead to links, and then a loop. */
const MOST_LINKS = 16;

/**
 * Watches files by name, whatever happens to what is behind the name: written in place, renamed over, a symbolic
 * link in its path turned to something else (Kubernetes' `..data`), removed and made anew.
 *
 * Directories are watched, because a watch on a file stays with an inode that was renamed away. An event only
 * leads to a look; what counts is whether the files look different, and have done so for 50 ms.
 */
export class FileWatch {
  private readonly changed: () => void;
  private files: string[] = [];
  private seen = '';
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly poll: NodeJS.Timeout;
  private pending: NodeJS.Timeout | undefined;
  private looking = false;
  private closed = false;

  constructor(changed: () => void) {
    this.changed = changed;
    this.poll = setInterval(() => void this.look(), POLL).unref();
  }

  /** From now on these, as they are now. */
  async set(files: readonly string[]): Promise<void> {
    this.files = [...new Set(files)];
    this.seen = await fingerprint(this.files);
    await this.watchDirectories();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.poll);
    clearTimeout(this.pending);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private soon(): void {
    if (this.closed) return;
    clearTimeout(this.pending);
    this.pending = setTimeout(() => void this.look(), DEBOUNCE).unref();
  }

  private async look(): Promise<void> {
    if (this.looking || this.closed) return;
    this.looking = true;
    try {
      const now = await fingerprint(this.files);
      if (now === this.seen) return;
      // Whoever writes may be in the middle of it.
      await new Promise((resolve) => setTimeout(resolve, DEBOUNCE));
      if ((await fingerprint(this.files)) !== now) return this.soon();
      this.seen = now;
      await this.watchDirectories();
      if (!this.closed) this.changed();
    } finally {
      this.looking = false;
    }
  }

  private async watchDirectories(): Promise<void> {
    const wanted = new Set<string>();
    for (const file of this.files) for (const directory of await directoriesOf(file)) wanted.add(directory);
    if (this.closed) return;
    for (const [directory, watcher] of this.watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.watchers.delete(directory);
    }
    for (const directory of wanted) this.watchDirectory(directory);
  }

  private watchDirectory(directory: string): void {
    if (this.watchers.has(directory)) return;
    const drop = () => {
      this.watchers.get(directory)?.close();
      this.watchers.delete(directory);
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => this.soon());
      watcher.on('error', drop);
      this.watchers.set(directory, watcher);
    } catch {
      // It is not there, or there are too many watches: polling stays.
    }
  }
}

/** What tells two states of the files apart: identity, size and times, through links. */
export async function fingerprint(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return `${file}:${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
      } catch (error) {
        return `${file}:${(error as NodeJS.ErrnoException).code}`;
      }
    }),
  );
  return parts.join('\n');
}

/** The directory of the file, and of every link on the way to what it really is. */
async function directoriesOf(file: string): Promise<string[]> {
  const directories: string[] = [];
  const waiting = [resolve(file)];
  for (let links = 0; links <= MOST_LINKS; ) {
    const path = waiting.pop();
    if (path === undefined) break;
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      if (at === path) directories.push(dirname(at));
      const target = await readlink(at).catch(() => null);
      if (target === null) continue;
      links++;
      directories.push(dirname(at));
      waiting.push(resolve(dirname(at), target) + path.slice(at.length));
      break;
    }
  }
  return [...new Set(directories)];
}
