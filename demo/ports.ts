import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** A port that is taken; the message says by whom, as far as this user may see. */
export class PortTaken extends Error {}

/** The port, or a free one for 0. Throws PortTaken. */
export async function claimable(port: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    throw new PortTaken(reason(port, error as NodeJS.ErrnoException));
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : port;
}

function reason(port: number, error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES') return `Port ${port} needs more rights than you have.`;
  if (error.code !== 'EADDRINUSE') return `Port ${port} can't be used: ${error.message}.`;
  const holder = holderOf(port);
  return `Port ${port} is taken${holder ? ` by ${holder}` : ''}.`;
}

function holderOf(port: number): string | undefined {
  try {
    return process.platform === 'linux' ? holderInProc(port) : holderByLsof(port);
  } catch {
    return undefined;
  }
}

function holderByLsof(port: number): string | undefined {
  const { stdout } = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    encoding: 'utf8',
  });
  const [, pid, command] = /^p(\d+)\nc(.+)$/m.exec(stdout ?? '') ?? [];
  return pid && `${command} (process ${pid})`;
}

/** The listening socket's inode stands in /proc/net, and its owner has it among its files. */
function holderInProc(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeners(table, port)));
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && owns(entry, inodes));
  return pid && `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
}

function listeners(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  return readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === listening)
    .map((fields) => `socket:[${fields[9]}]`);
}

function owns(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}
