import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis } from '../src/testkit/redis-program.ts';
import type { Children } from './children.ts';
import { freePort } from './postgres.ts';

/** Where the gateway of the demo keeps what its workers share. */
export interface Redis {
  url: string;
  /** What it is, in words. */
  what: string;
}

const USUAL = { host: '127.0.0.1', port: 6379 };
/** How long one that may run already is waited for, in ms. */
const PATIENCE = 500;

/** Nothing is saved, and old entries make room. */
const settings = {
  bind: '127.0.0.1',
  save: '',
  appendonly: 'no',
  maxmemory: '64mb',
  'maxmemory-policy': 'allkeys-lru',
};

/**
 * A Redis of the demo's own on a free port, gone when the children are stopped; on a machine without the program
 * the one that runs on the usual port. Null: there is neither.
 */
export async function findOrStartRedis(children: Children): Promise<Redis | null> {
  const program = findRedis();
  if (program !== undefined) return startRedis(program, children);
  if (!(await runs())) return null;
  return { url: `redis://${USUAL.host}:${USUAL.port}`, what: `the one that runs on port ${USUAL.port}` };
}

async function startRedis(program: string, children: Children): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-demo-'));
  const port = await freePort();
  const flags = Object.entries({ ...settings, dir: folder, port: String(port) });
  try {
    const args = flags.flatMap(([name, value]) => [`--${name}`, value]);
    const server = children.start('Redis', program, args, { sweep: folder });
    const [, name, version] = await server.says(
      /(Redis|Valkey) version=([\d.]+)[\s\S]*Ready to accept connections/i,
    );
    return { url: `redis://127.0.0.1:${port}`, what: `${name} ${version}` };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** One that lets everyone in. */
async function runs(): Promise<boolean> {
  const socket = connect(USUAL);
  const answer = new Promise<boolean>((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString('latin1').startsWith('+PONG')));
    socket.once('error', () => resolve(false));
    socket.setTimeout(PATIENCE, () => resolve(false));
  });
  socket.write('PING\r\n');
  return answer.finally(() => socket.destroy());
}
