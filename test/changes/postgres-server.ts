import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { ensurePostgres, findPostgres } from '../../scripts/servers.ts';
import { until } from '../../src/testkit/index.ts';
import { freePort } from '../../src/testkit/process-lab.ts';

const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '32MB',
  fsync: 'off',
};

/** A PostgreSQL of its own for a test: it keeps its port and its data over restarts. */
export class PostgresServer {
  readonly port: number;
  private readonly programs: string;
  private readonly folder: string;
  private readonly user: { uid: number; gid: number } | undefined;
  private readonly settings: Readonly<Record<string, string>>;
  private process: ChildProcess | null = null;
  private readonly pools = new Map<string, pg.Pool>();
  private readonly killAtExit = () => this.process?.kill('SIGKILL');

  private constructor(
    port: number,
    programs: string,
    folder: string,
    user: { uid: number; gid: number } | undefined,
    settings: Readonly<Record<string, string>>,
  ) {
    this.port = port;
    this.programs = programs;
    this.folder = folder;
    this.user = user;
    this.settings = settings;
    process.on('exit', this.killAtExit);
  }

  /** `settings` as in postgresql.conf. */
  static async create(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const { ok, output } = await ensurePostgres();
    const programs = findPostgres();
    if (!ok || programs === undefined) throw new Error(output);
    // PostgreSQL refuses to run as root.
    const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
    const folder = mkdtempSync('/tmp/tidegate-postgres-');
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const server = new PostgresServer(
      await freePort(),
      reachable(programs, folder, user),
      folder,
      user,
      settings,
    );
    server.initialise();
    await server.start();
    return server;
  }

  url(database = 'postgres', user = 'postgres'): string {
    return `postgres://${user}:secret@127.0.0.1:${this.port}/${database}`;
  }

  /** Where it keeps its files. */
  get data(): string {
    return join(this.folder, 'data');
  }

  /** @param more Settings for this time alone. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = { ...SETTINGS, ...this.settings, ...more, port: String(this.port) };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.process = spawn(join(this.programs, 'postgres'), ['-D', join(this.folder, 'data'), ...flags], {
      stdio: 'ignore',
      cwd: this.folder,
      ...this.user,
    });
    const started = this.process;
    await until(async () => started.exitCode !== null || (await this.answers()), 'PostgreSQL to answer');
    if (started.exitCode !== null) throw new Error('PostgreSQL did not start');
  }

  /** As `pg_ctl stop -m` has it. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const { process: running } = this;
    if (running === null) return;
    this.process = null;
    for (const pool of this.pools.values()) void pool.end().catch(() => {});
    this.pools.clear();
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  }

  async query(
    sql: string,
    values: unknown[] = [],
    database = 'postgres',
  ): Promise<Record<string, unknown>[]> {
    let pool = this.pools.get(database);
    if (pool === undefined) {
      pool = new pg.Pool({ connectionString: this.url(database), max: 4 });
      pool.on('error', () => {});
      this.pools.set(database, pool);
    }
    const { rows } = await pool.query(sql, values);
    return rows ?? [];
  }

  /** Where the log is now, as a client that has written would say. */
  async position(): Promise<string> {
    const [row] = await this.query('select pg_current_wal_flush_lsn()::text as at');
    return String(row!.at);
  }

  async close(): Promise<void> {
    process.off('exit', this.killAtExit);
    await this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private initialise(): void {
    const flags = [
      '-D',
      join(this.folder, 'data'),
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ];
    const { status, stderr } = spawnSync(join(this.programs, 'initdb'), flags, {
      cwd: this.folder,
      env: { ...process.env, LC_ALL: 'C' },
      encoding: 'utf8',
      ...this.user,
    });
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  private async answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url(), connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  }
}

function idOf(flag: '-u' | '-g'): number {
  for (const name of ['postgres', 'nobody']) {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' });
    if (status === 0) return Number(stdout);
  }
  throw new Error('there is no user that PostgreSQL could run as');
}

/** Programs that the server's user can't enter are copied to where it can. */
function reachable(programs: string, folder: string, user: { uid: number; gid: number } | undefined): string {
  if (user === undefined) return programs;
  const attempt = spawnSync(join(programs, 'postgres'), ['--version'], { ...user, cwd: folder });
  if (attempt.status === 0) return programs;
  const copy = join(folder, 'postgresql');
  cpSync(dirname(programs), copy, { recursive: true, verbatimSymlinks: true });
  spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, copy]);
  return join(copy, 'bin');
}
