import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the kernel says of running processes. Linux alone: /proc. */

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on (USER_HZ). */
const TICKS = 100;
const PAGE = 4096;

interface Stat {
  parent: number;
  /** Ticks in user and in kernel mode, dead and waited-for children left out. */
  ticks: number;
  rssPages: number;
}

function stat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in parentheses, and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
      rssPages: Number(fields[21]),
    };
  } catch {
    return null;
  }
}

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = stat(Number(name))?.parent;
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree: number[] = [];
  const queue = [root];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    tree.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/** Microseconds of CPU, user and kernel, that these processes have used; exact to 10 ms. */
export function cpuTime(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) ticks += stat(pid)?.ticks ?? 0;
  return (ticks * 1_000_000) / TICKS;
}

/** Resident bytes of these processes; pages that they share count in each. */
export function residentBytes(pids: readonly number[]): number {
  let pages = 0;
  for (const pid of pids) pages += stat(pid)?.rssPages ?? 0;
  return pages * PAGE;
}

/** Sockets that a process holds open. */
export function openSockets(pid: number): number {
  return descriptors(pid).filter((target) => target.startsWith('socket:')).length;
}

function descriptors(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const targets: string[] = [];
  for (const name of readdirSync(folder)) {
    try {
      targets.push(readlinkSync(`${folder}/${name}`));
    } catch {
      // Closed while we looked.
    }
  }
  return targets;
}
