import { Redis } from 'ioredis';
import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { postgresEvent } from '../../../src/changes/debezium/fixtures.ts';
import { formatLsn } from '../../../src/changes/positions/index.ts';
import { httpOrigin, mariadbServer, type RedisServer, redisServer } from '../../../src/testkit/index.ts';
import { PostgresServer } from '../postgres-server.ts';

/** Rows that only ever grow, and a service that reads them. */
export interface FollowedDatabase {
  readonly kind: 'postgres' | 'mysql' | 'redis';
  /** URL of a service: `GET /items/ID` answers the row's value, as the database has it now. */
  readonly origin: string;
  readonly table: string;
  /** How a source of a config reads it. */
  readonly reader: object;
  /** Adds one to a row; resolves with its value, once it is committed, and with a position that covers it. */
  bump(id: number): Promise<{ value: number; position: string }>;
  value(id: number): Promise<number>;
  /** Ends connections of whoever reads its changes. */
  cut(): Promise<void>;
  /** Ends it as a crash does (or in good order), and starts it again. */
  restart(way: 'crash' | 'stop'): Promise<void>;
  close(): Promise<void>;
}

export const ROWS = 8;

async function origin(value: (id: number) => Promise<number>) {
  return await httpOrigin(async (request, response) => {
    const read = await value(Number(request.url!.split('/').at(-1))).catch(() => null);
    response.statusCode = read === null ? 500 : 200;
    response.end(String(read));
  });
}

export async function postgresDatabase(settings: Record<string, string> = {}): Promise<FollowedDatabase> {
  const server = await PostgresServer.create(settings);
  await server.query('create table items (id int primary key, value int not null)');
  await server.query(`insert into items select id, 0 from generate_series(1, ${ROWS}) id`);
  // Outlives restarts of the server, and waits for nothing without end.
  const pool = new pg.Pool({
    connectionString: server.url(),
    max: 16,
    connectionTimeoutMillis: 1000,
    query_timeout: 3000,
  });
  pool.on('error', () => {});
  const ask = async (sql: string, values: unknown[] = []) =>
    (await pool.query(sql, values)).rows[0] as Record<string, unknown>;
  const value = async (id: number) =>
    Number((await ask('select value from items where id = $1', [id])).value);
  const service = await origin(value);
  return {
    kind: 'postgres',
    origin: service.url,
    table: 'public.items',
    reader: { postgres: { url: server.url() } },
    async bump(id) {
      const written = await ask('update items set value = value + 1 where id = $1 returning value', [id]);
      const { at } = await ask('select pg_current_wal_flush_lsn()::text as at');
      return { value: Number(written.value), position: String(at) };
    },
    value,
    async cut() {
      await ask('select pg_terminate_backend(pid) from pg_stat_replication').catch(() => {});
    },
    async restart(way) {
      await server.stop(way === 'crash' ? 'immediate' : 'fast');
      await server.start();
    },
    async close() {
      await service.close();
      void pool.end().catch(() => {});
      await server.close();
    },
  };
}

export async function mariadbDatabase(): Promise<FollowedDatabase> {
  const server = await mariadbServer();
  await server.run(
    'create table shop.items (id int primary key, value int not null)',
    `insert into shop.items values ${Array.from({ length: ROWS }, (_, i) => `(${i + 1}, 0)`).join(', ')}`,
  );
  const pool = createPool({ host: '127.0.0.1', port: server.port, user: 'root', connectionLimit: 8 });
  const value = async (id: number) => {
    const [rows] = await pool.query('select value from shop.items where id = ?', [id]);
    return Number((rows as { value: number }[])[0]!.value);
  };
  const service = await origin(value);
  return {
    kind: 'mysql',
    origin: service.url,
    table: 'shop.items',
    reader: { mysql: { url: `mysql://tidegate:secret@127.0.0.1:${server.port}/shop`, serverId: 77 } },
    async bump(id) {
      await pool.query('update shop.items set value = value + 1 where id = ?', [id]);
      const written = await value(id);
      const [rows] = await pool.query('select @@gtid_binlog_pos as at');
      return { value: written, position: String((rows as { at: string }[])[0]!.at) };
    },
    value,
    async cut() {
      const [rows] = await pool.query(
        "select id from information_schema.processlist where user = 'tidegate'",
      );
      for (const { id } of rows as { id: number }[]) await pool.query(`kill ${id}`).catch(() => {});
    },
    async restart(way) {
      await (way === 'crash' ? server.kill() : server.shutdown());
      await server.start();
    },
    async close() {
      await service.close();
      await pool.end().catch(() => {});
      await server.close();
    },
  };
}

/** Events as Debezium sends them, of rows that stand in this process. */
export async function streamDatabase(): Promise<FollowedDatabase> {
  const server: RedisServer = await redisServer();
  const client = new Redis({ port: server.port, host: '127.0.0.1', retryStrategy: () => 50 });
  client.on('error', () => {});
  const rows = new Map(Array.from({ length: ROWS }, (_, i) => [i + 1, 0]));
  const value = async (id: number) => rows.get(id) ?? 0;
  const service = await origin(value);
  let commits = 0;
  let sending: Promise<unknown> = Promise.resolve();
  const send = (id: number, number: number) => {
    const recorded = postgresEvent('u', { id, value: 0 }, { id, value: 0 }) as { source: object };
    const sequence = JSON.stringify([String((number - 1) * 16), String(number * 16 - 8)]);
    const source = { ...recorded.source, table: 'items', sequence, lsn: number * 16 - 8 };
    const event = { ...recorded, source };
    // As Debezium: again, until the server has it.
    sending = sending.then(() =>
      retried(() => client.xadd(STREAM, '*', JSON.stringify({ id }), JSON.stringify(event))),
    );
    return sending;
  };
  return {
    kind: 'redis',
    origin: service.url,
    table: 'public.items',
    reader: { redis: { url: server.url, streams: [STREAM], group: 'tidegate' } },
    async bump(id) {
      const written = rows.get(id)! + 1;
      rows.set(id, written);
      const number = ++commits;
      void send(id, number);
      return { value: written, position: formatLsn(BigInt(number * 16)) };
    },
    value,
    async cut() {
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => {});
    },
    async restart() {
      await server.restart({ data: 'none' });
    },
    async close() {
      client.disconnect();
      await service.close();
      await server.close();
    },
  };
}

const STREAM = 'shop.public.items';

async function retried(act: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      await act();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
