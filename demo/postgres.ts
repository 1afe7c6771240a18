import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Children } from './children.ts';

/** Followers of its changes need the first three; the rest makes a throw-away server light and quick. */
const settings = {
  wal_level: 'logical',
  max_wal_senders: '8',
  max_replication_slots: '8',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  fsync: 'off',
  full_page_writes: 'off',
};

interface User {
  uid: number;
  gid: number;
}

export interface Database {
  /** Of the database `shop`, with its password. */
  url: string;
  version: string;
}

/** A PostgreSQL server of the demo's own on a free port; it and its data are gone when the children are stopped. */
export async function startPostgres(programs: string, children: Children): Promise<Database> {
  const user = serverUser();
  const folder = dataFolder(user);
  try {
    return await startIn(folder, reachable(programs, folder, user), user, children);
  } catch (error) {
    await children.stop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(folder: string, programs: string, user: User | undefined, children: Children) {
  const password = randomBytes(12).toString('hex');
  const data = join(folder, 'data');
  await initialise(programs, folder, data, password, children, user);
  const port = await freePort();
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const server = children.start('PostgreSQL', join(programs, 'postgres'), ['-D', data, ...flags], {
    signal: 'INT',
    sweep: folder,
    cwd: folder,
    env: { LC_ALL: 'C' },
    ...(user ? { user } : {}),
  });
  await server.says(/ready to accept connections/);
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  const version = await createShop(url('postgres'));
  return { url: url('shop'), version };
}

async function initialise(
  programs: string,
  folder: string,
  data: string,
  password: string,
  children: Children,
  user?: User,
) {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  const auth = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const flags = ['--encoding=UTF8', '--locale=C', '--no-sync'];
  await children.finish('initdb', join(programs, 'initdb'), ['-D', data, ...auth, ...flags], {
    sweep: folder,
    cwd: folder,
    env: { LC_ALL: 'C' },
    ...(user ? { user } : {}),
  });
  rmSync(passwordFile);
}

/** The log says it is ready a moment before it accepts everyone. */
async function createShop(url: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('create database shop');
      const { rows } = await client.query('show server_version');
      return String(rows[0].server_version).split(' ')[0] ?? '';
    } catch (error) {
      if (tries === 20) throw error;
      await delay(100);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** PostgreSQL refuses to run as root, so root lends it another user. */
function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const uid = numberOf('id', ['-u', name]);
    const gid = numberOf('id', ['-g', name]);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.');
}

function numberOf(command: string, args: string[]): number | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

/** A private folder in the first place for temporary files that the server's user can enter. */
function dataFolder(user: User | undefined): string {
  for (const place of [tmpdir(), '/tmp', '/var/tmp']) {
    const folder = mkdtempSync(join(place, 'tidegate-demo-'));
    if (!user) return folder;
    chownSync(folder, user.uid, user.gid);
    if (spawnSync('test', ['-w', folder], { ...user, cwd: '/' }).status === 0) return folder;
    rmSync(folder, { recursive: true });
  }
  throw new Error(`The user that PostgreSQL runs as cannot write to ${tmpdir()}.`);
}

/** Programs in a home that the server's user can't enter are copied to where it can. */
function reachable(programs: string, folder: string, user: User | undefined): string {
  if (!user) return programs;
  const attempt = spawnSync(join(programs, 'postgres'), ['--version'], { ...user, cwd: folder });
  if (attempt.status === 0) return programs;
  const copy = join(folder, 'postgresql');
  cpSync(dirname(programs), copy, { recursive: true, verbatimSymlinks: true });
  spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, copy]);
  return join(copy, 'bin');
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
