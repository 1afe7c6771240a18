import { type Connection, createConnection } from 'mysql2/promise';
import type { Clock } from '../../util/clock.ts';
import { inTime } from '../../util/in-time.ts';
import { actionsIn, type ForeignKey } from './cascades.ts';

export interface MysqlServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Null: without TLS. */
  readonly tls: { readonly ca?: string; readonly rejectUnauthorized: boolean } | null;
}

/** What matters of a server for reading its log. */
export interface ServerFacts {
  readonly isMariaDb: boolean;
  /** Positions are GTIDs, which mean the same on every server of a topology. */
  readonly gtid: boolean;
  /** What is wrong with its settings, and the statement that mends it; null: nothing. */
  readonly complaint: string | null;
  /** What would work better. */
  readonly advice: readonly string[];
  readonly serverId: number;
}

/** A place in the log's files. */
export interface LogPlace {
  readonly file: string;
  readonly offset: number;
}

/** Seconds after which the server forgets a node that fell silent, and with it the node's right to read. */
const SILENCE = 5;
/** Milliseconds. */
const CONNECT_TIMEOUT = 5000;

export function connectionOptions({ host, port, user, password, tls }: MysqlServer) {
  return {
    host,
    port,
    user,
    password,
    connectTimeout: CONNECT_TIMEOUT,
    dateStrings: true,
    supportBigNumbers: true,
    ...(tls === null ? {} : { ssl: tls }),
  };
}

/** The server says nothing: it may be there, and of its log nothing is known to be wrong. */
export class Silent extends Error {}

/** The connection on which a node asks, and by which it holds the right to read under its `serverId`. */
export class ControlConnection {
  private readonly connection: Connection;
  private readonly clock: Clock;

  private constructor(connection: Connection, clock: Clock) {
    this.connection = connection;
    this.clock = clock;
  }

  /** @param idle Seconds after which the server gives it up, where nothing is asked. */
  static async open(server: MysqlServer, clock: Clock, idle = SILENCE): Promise<ControlConnection> {
    const connection = await createConnection(connectionOptions(server));
    connection.on('error', () => {});
    const control = new ControlConnection(connection, clock);
    await control.ask(`set session wait_timeout = ${idle}`);
    return control;
  }

  /** Two readers under one id throw each other out for ever; the server gives the right to one of them. */
  async takeSeat(serverId: number): Promise<boolean> {
    const [row] = await this.ask('select get_lock(?, 0) as taken', [`tidegate:${serverId}`]);
    return Number(row?.taken) === 1;
  }

  async facts(): Promise<ServerFacts> {
    const [row] = await this.ask(
      'select version() as version, @@global.log_bin as log_bin, @@global.binlog_format as format, @@global.binlog_row_image as image, @@global.server_id as server_id',
    );
    const isMariaDb = /mariadb/i.test(String(row?.version));
    const gtid = isMariaDb || (await this.mysqlHasGtid());
    const advice = gtid
      ? []
      : [
          'gtid_mode is not ON: positions are places in a file, which mean nothing on another server, and changes are applied 250 ms late',
        ];
    const metadata = await this.rowMetadata();
    if (metadata !== null && metadata !== 'FULL')
      advice.push(
        `binlog_row_metadata is ${metadata}: after ALTER TABLE, older changes are read with the new columns; SET GLOBAL binlog_row_metadata = 'FULL'`,
      );
    return {
      isMariaDb,
      gtid,
      complaint: complaintOf(row ?? {}),
      advice,
      serverId: Number(row?.server_id),
    };
  }

  /** Null: this server has no such setting. */
  private async rowMetadata(): Promise<string | null> {
    const [row] = await this.ask("show global variables like 'binlog_row_metadata'");
    return row === undefined ? null : String(row.Value);
  }

  /** What its user may do, as statements. */
  async grants(): Promise<string[]> {
    const rows = await this.ask('show grants');
    return rows.map((row) => String(Object.values(row)[0]));
  }

  /** Types of columns, by `database.table` and name: of all tables that the user may see. */
  async columnsOf(databases: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const rows = await this.ask(
      'select table_schema as space, table_name as name, column_name as column_name, column_type as type from information_schema.columns where table_schema in (?)',
      [databases.length === 0 ? [''] : databases],
    );
    const tables = new Map<string, Map<string, string>>();
    for (const { space, name, column_name, type } of rows) {
      const table = `${String(space)}.${String(name)}`;
      const columns = tables.get(table) ?? new Map<string, string>();
      tables.set(table, columns.set(String(column_name), String(type)));
    }
    return tables;
  }

  /** By which rows of these tables change with rows of others, and those with others again. */
  async foreignKeys(tables: Iterable<string>): Promise<ForeignKey[]> {
    const keys: ForeignKey[] = [];
    const asked = new Set(tables);
    // A set that grows while it is walked is walked to its end.
    for (const child of asked) {
      const own = await this.foreignKeysOf(child);
      keys.push(...own);
      for (const { parent } of own) asked.add(parent);
    }
    return keys;
  }

  private async foreignKeysOf(child: string): Promise<ForeignKey[]> {
    const dot = child.indexOf('.');
    const place = [child.slice(0, dot), child.slice(dot + 1)];
    const rows = await this.ask(
      `select constraint_name as name, concat(referenced_table_schema, '.', referenced_table_name) as parent,
              group_concat(referenced_column_name separator '\n') as columns
         from information_schema.key_column_usage
        where table_schema = ? and table_name = ? and referenced_table_name is not null group by 1, 2`,
      place,
    );
    if (rows.length === 0) return [];
    const [shown] = await this.ask('show create table ??.??', place);
    const actions = actionsIn(String(shown?.['Create Table']));
    return rows.map(({ name, parent, columns }) => ({
      child,
      parent: String(parent),
      columns: String(columns).split('\n'),
      ...(actions.get(String(name)) ?? { onDelete: true, onUpdate: true }),
    }));
  }

  private async mysqlHasGtid(): Promise<boolean> {
    const [row] = await this.ask('select @@global.gtid_mode as mode');
    return row?.mode === 'ON';
  }

  /** How far its log goes, as a GTID set; null where it is empty. */
  async position({ isMariaDb }: ServerFacts): Promise<string | null> {
    const [row] = await this.ask(
      isMariaDb ? 'select @@gtid_binlog_pos as at' : 'select @@global.gtid_executed as at',
    );
    return String(row?.at ?? '').replace(/\s/g, '') || null;
  }

  /** How far its log goes, as positions of its source are spelled. */
  async written(facts: ServerFacts): Promise<string> {
    const position = facts.gtid ? await this.position(facts) : await this.place();
    if (position === null) throw new Error('its log is empty');
    return position;
  }

  private async place(): Promise<string | null> {
    // MySQL 8.4 knows the new statement alone, older ones the old one.
    const rows = await this.ask('show binary log status').catch(() => this.ask('show master status'));
    const [row] = rows;
    return row === undefined ? null : `${row.File}:${row.Position}`;
  }

  /** MySQL: resolves once queries see the transaction, which the log holds a moment before. */
  async executed(gtid: string): Promise<void> {
    await this.ask('select wait_for_executed_gtid_set(?, 10)', [gtid], 12_000);
  }

  /** MariaDB: the end of the last transaction that its engines have committed. */
  async committedUpTo(): Promise<LogPlace> {
    const rows = await this.ask("show status like 'binlog_snapshot_%'");
    const value = (name: string) =>
      String(rows.find((row) => String(row.Variable_name).toLowerCase() === name)?.Value ?? '');
    return { file: value('binlog_snapshot_file'), offset: Number(value('binlog_snapshot_position')) };
  }

  async ping(): Promise<void> {
    await this.ask('select 1');
  }

  private async ask(sql: string, values: unknown[] = [], ms = 4000): Promise<Record<string, unknown>[]> {
    const answered = this.connection.query(sql, values as never);
    const [rows] = await inTime(this.clock, ms, answered, () => {
      this.connection.destroy();
      throw new Silent(`the server did not answer within ${ms} ms`);
    });
    return rows as Record<string, unknown>[];
  }

  close(): void {
    this.connection.destroy();
  }
}

function complaintOf({ log_bin, format, image }: Record<string, unknown>): string | null {
  if (Number(log_bin) !== 1) return 'the server writes no binary log: start it with log_bin';
  if (format !== 'ROW') return `binlog_format is ${format}: SET GLOBAL binlog_format = 'ROW'`;
  if (image !== 'FULL') return `binlog_row_image is ${image}: SET GLOBAL binlog_row_image = 'FULL'`;
  return null;
}
