import { readdir, readFile, readlink } from 'node:fs/promises';

/** Who listens on a TCP port, as far as this user may see: `node server.js (pid 123)`, or null. Linux only. */
export async function portOwner(port: number): Promise<string | null> {
  try {
    const inodes = await listeningInodes(port);
    if (inodes.size === 0) return null;
    for (const pid of await readdir('/proc')) {
      if (/^\d+$/.test(pid) && (await holds(pid, inodes))) return `${await commandOf(pid)} (pid ${pid})`;
    }
  } catch {
    // No /proc here.
  }
  return null;
}

const LISTEN = '0A';

async function listeningInodes(port: number): Promise<Set<string>> {
  const inodes = new Set<string>();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(suffix) && columns[3] === LISTEN && columns[9] !== undefined)
        inodes.add(columns[9]);
    }
  }
  return inodes;
}

async function holds(pid: string, inodes: Set<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const fd of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

async function commandOf(pid: string): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const words = line.split('\0').filter((word) => word !== '');
  // Only the program and its first argument that is no flag: the rest may hold secrets.
  const script = words.slice(1).find((word) => !word.startsWith('-'));
  const short = [words[0] ?? '', script ?? '']
    .filter((word) => word !== '')
    .map((word) => word.slice(word.lastIndexOf('/') + 1));
  return short.join(' ') || 'a process';
}
