import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { freePort, type LabProcess, type ProcessLab, processLab } from './process-lab.ts';
import { findProgram } from './server-program.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';
import { until } from './waiting.ts';

/** Light and quick, and with the log that followers need. */
const SETTINGS = [
  '--bind-address=127.0.0.1',
  '--server-id=1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--binlog-row-metadata=FULL',
  '--sync-binlog=1',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=8M',
  '--performance-schema=OFF',
  '--skip-name-resolve',
];

/** A MariaDB of its own for a test, which keeps its port and its data over restarts. `close` ends it. */
export class MariaDbServer {
  readonly port: number;
  private readonly lab: ProcessLab = processLab();
  private readonly folder: TempFolder = tempFolder();
  private process: LabProcess | null = null;

  constructor(port: number) {
    this.port = port;
  }

  /** Makes its data folder, with the user `tidegate` (password `secret`) and the database `shop`. */
  async create(): Promise<void> {
    chmodSync(this.folder.path, 0o777);
    const install = findProgram('mariadb-install-db', 'mysql_install_db');
    if (install === undefined) throw new Error('no mariadb-install-db on this machine');
    const made = spawnSync(install, [
      '--no-defaults',
      `--datadir=${this.data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...asUser(),
    ]);
    if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
    await this.start();
    await this.run(
      'create database shop',
      "create user tidegate@'127.0.0.1' identified by 'secret'",
      "grant replication slave, replication client, binlog monitor on *.* to tidegate@'127.0.0.1'",
      "grant select on shop.* to tidegate@'127.0.0.1'",
    );
  }

  async start(): Promise<void> {
    const program = findProgram('mariadbd', 'mysqld');
    if (program === undefined) throw new Error('no mariadbd on this machine');
    const place = [
      `--datadir=${this.data}`,
      `--port=${this.port}`,
      `--socket=${join(this.folder.path, 'socket')}`,
    ];
    const started = this.lab.start(program, [
      '--no-defaults',
      ...place,
      `--tmpdir=${this.folder.path}`,
      ...SETTINGS,
      ...asUser(),
    ]);
    this.process = started;
    await until(async () => (await this.answers()) || started.exited !== null, 'MariaDB to answer', 20_000);
    if (started.exited !== null) throw new Error(`MariaDB ended:\n${started.output.slice(-2000)}`);
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  /** In good order. */
  async shutdown(): Promise<void> {
    this.process?.signal('SIGTERM');
    await this.process?.exit(20_000);
    this.process = null;
  }

  async connect(): Promise<Connection> {
    const connection = await createConnection({
      host: '127.0.0.1',
      port: this.port,
      user: 'root',
      multipleStatements: true,
    });
    connection.on('error', () => {});
    return connection;
  }

  /** Statements one after the other, on a connection of their own; the rows of the last. */
  async run(...statements: readonly string[]): Promise<Record<string, unknown>[]> {
    const connection = await this.connect();
    try {
      let rows: unknown = [];
      for (const statement of statements) [rows] = await connection.query(statement);
      return rows as Record<string, unknown>[];
    } finally {
      connection.destroy();
    }
  }

  async close(): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }

  private get data(): string {
    return join(this.folder.path, 'data');
  }

  private async answers(): Promise<boolean> {
    return await this.run('select 1').then(
      () => true,
      () => false,
    );
  }
}

function asUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

export async function mariadbServer(): Promise<MariaDbServer> {
  const server = new MariaDbServer(await freePort());
  try {
    await server.create();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}
