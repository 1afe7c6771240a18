import type pg from 'pg';
import { connectionOf, createClient } from './client.ts';
import type { TypeRow } from './types.ts';

const CONNECT = 5000;
const QUERY = 5000;

/** What a slot tells of itself. */
export interface SlotRow {
  plugin: string;
  slot_type: string;
  database: string | null;
  temporary: boolean;
  active_pid: number | null;
  confirmed: string | null;
  wal_status: string | null;
  /** The name under which its reader has connected, where that may be seen. */
  reader: string | null;
}

export interface PublicationRow {
  publishes_all: boolean;
  via_root: boolean;
  /** Without what TRUNCATE or the like is not told. */
  missing: string[];
}

export interface PublishedTable {
  table: string;
  /** Null: all columns. */
  columns: string[] | null;
  filter: string | null;
}

export interface TableRow {
  table: string;
  /** `r` an ordinary table, `p` a partitioned one, … */
  kind: string;
  /** d: default, i: index, f: full, n: nothing. */
  identity: string;
  columns: string[];
  generated: string[];
  /** Columns that an old row has for certain. */
  key: string[];
  /** Tables that inherit from it, of every depth: their rows are told under their own names. Empty for a partitioned one. */
  heirs: string[];
  /** Changes when the table, or a partition of it, was made anew, rewritten, emptied, attached or detached, or its columns were changed. */
  shape: string;
}

export interface Pulse {
  flushed: string;
  publication: string | null;
  wal_status: string | null;
  /** By table. */
  shapes: Readonly<Record<string, string>>;
}

/** An ordinary connection beside the stream, for what can only be asked. Each question has a deadline. */
export class Catalog {
  private readonly client: pg.Client;
  private turn: Promise<unknown> = Promise.resolve();
  readonly version: number;
  readonly standby: boolean;

  private constructor(client: pg.Client, version: number, standby: boolean) {
    this.client = client;
    this.version = version;
    this.standby = standby;
  }

  /** `ended` is told when the connection breaks. Rejects with the error of the network or server. */
  static async connect(url: string, name: string, ended: (error: Error) => void): Promise<Catalog> {
    const client = createClient({
      connectionString: url,
      application_name: name,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT,
      query_timeout: QUERY,
      options: '-c search_path=pg_catalog',
    });
    client.on('error', ended);
    client.once('end', () => ended(new Error('the connection was closed')));
    try {
      await client.connect();
      const { rows } = await client.query(
        "select current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby",
      );
      return new Catalog(client, rows[0].version, rows[0].standby);
    } catch (error) {
      connectionOf(client).stream.destroy();
      throw error;
    }
  }

  async end(): Promise<void> {
    const closed = this.client.end().catch(() => {});
    // A frozen server would never close its side.
    const timer = setTimeout(() => connectionOf(this.client).stream.destroy(), 500);
    await closed;
    clearTimeout(timer);
  }

  destroy(): void {
    connectionOf(this.client).stream.destroy();
  }

  /** One at a time: pg is to have no queue of its own. */
  private query(query: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> {
    const mine = this.turn.then(() =>
      typeof query === 'string' ? this.client.query(query, values) : this.client.query(query),
    );
    this.turn = mine.catch(() => {});
    return mine;
  }

  async snapshot(): Promise<string> {
    const { rows } = await this.query({
      name: 'snapshot',
      text: 'select pg_current_snapshot()::text as at',
    });
    return rows[0].at;
  }

  /** How far its log goes: behind all that was answered as committed. */
  async written(): Promise<string> {
    const { rows } = await this.query({
      name: 'written',
      // Without synchronous commits what is answered may not have been flushed.
      text: "select (case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end)::text as at",
    });
    return rows[0].at;
  }

  async setting(name: string): Promise<string> {
    const { rows } = await this.query('select current_setting($1) as value', [name]);
    return rows[0].value;
  }

  async run(sql: string): Promise<void> {
    await this.query(sql);
  }

  async publication(name: string): Promise<PublicationRow | null> {
    const { rows } = await this.query('select * from pg_publication where pubname = $1', [name]);
    if (rows.length === 0) return null;
    const { puballtables, pubviaroot } = rows[0];
    const missing = ['insert', 'update', 'delete', 'truncate'].filter((kind) => !rows[0][`pub${kind}`]);
    return { publishes_all: puballtables, via_root: pubviaroot, missing };
  }

  async published(name: string): Promise<PublishedTable[]> {
    const more =
      this.version >= 150_000
        ? 'attnames::text[] as columns, rowfilter'
        : 'null as columns, null as rowfilter';
    const { rows } = await this.query(
      `select schemaname || '.' || tablename as table, ${more} from pg_publication_tables where pubname = $1`,
      [name],
    );
    return rows.map(({ table, columns, rowfilter }) => ({ table, columns, filter: rowfilter }));
  }

  async slot(name: string): Promise<SlotRow | null> {
    const { rows } = await this.query(
      `select s.plugin, s.slot_type, s.database, s.temporary, s.active_pid, s.confirmed_flush_lsn::text as confirmed,
              s.wal_status, a.application_name as reader
         from pg_replication_slots s left join pg_stat_activity a on a.pid = s.active_pid where s.slot_name = $1`,
      [name],
    );
    return rows[0] ?? null;
  }

  async tables(names: readonly string[]): Promise<TableRow[]> {
    const { rows } = await this.query(TABLES, [names]);
    return rows;
  }

  /** All tables that a user may have meant. */
  async tableNames(): Promise<string[]> {
    const { rows } = await this.query(
      `select n.nspname || '.' || c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_toast%' limit 5000`,
    );
    return rows.map(({ table }) => table);
  }

  async types(): Promise<TypeRow[]> {
    const { rows } = await this.query(
      `select oid::int8::int as oid, case when typtype = 'd' then typbasetype::int8::int else 0 end as base,
              case when typcategory = 'A' then typelem::int8::int else 0 end as element
         from pg_type where oid >= 16384 and typtype <> 'c' and not (typcategory = 'A' and typelem in (select oid from pg_type where typtype = 'c'))`,
    );
    return rows;
  }

  /** One question a second: how far the log is, and whether what is followed is still what it was. */
  async pulse(slot: string, publication: string, tables: readonly string[]): Promise<Pulse> {
    const { rows } = await this.query({
      name: 'pulse',
      text: `select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as flushed,
                    (${fingerprint(this.version)}) as publication,
                    (select wal_status from pg_replication_slots where slot_name = $1) as wal_status,
                    (select coalesce(json_object_agg(t."table", t.shape), '{}') from (${TABLES.replaceAll('$1', '$3')}) t) as shapes`,
      values: [slot, publication, tables],
    });
    return rows[0];
  }
}

/** Partitions of the table `c`, or tables that inherit from it. `pg_partition_tree()` would wait for whoever has locked one. */
const PARTS = `
  with recursive parts(oid, leaving) as (
    select inhrelid, inhdetachpending from pg_inherits where inhparent = c.oid
    union select i.inhrelid, i.inhdetachpending from pg_inherits i join parts on i.inhparent = parts.oid)`;

const TABLES = `
  select n.nspname || '.' || c.relname as table, c.relkind::text as kind, c.relreplident::text as identity,
         (select coalesce(array_agg(a.attname::text), '{}') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
         (select coalesce(array_agg(a.attname::text), '{}') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> '') as generated,
         (select coalesce(array_agg(a.attname::text), '{}') from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
           where i.indrelid = c.oid and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident else false end) as key,
         md5(concat_ws(',', c.oid, c.relfilenode, c.relreplident, (select string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid), ',' order by a.attnum)
           from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
           (${PARTS} select string_agg(concat_ws(':', p.oid, p.relfilenode, parts.leaving), ',' order by p.oid) from parts join pg_class p on p.oid = parts.oid))) as shape,
         case when c.relkind = 'p' then '{}' else (${PARTS} select coalesce(array_agg(s.nspname || '.' || p.relname), '{}')
           from parts join pg_class p on p.oid = parts.oid join pg_namespace s on s.oid = p.relnamespace) end as heirs
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname || '.' || c.relname = any($1::text[])`;

/** Changes with whatever is done to the publication; $2 is its name. */
function fingerprint(version: number): string {
  const schemas =
    version >= 150_000
      ? `, (select string_agg(n.xmin::text || n.oid, ',' order by n.oid) from pg_publication_namespace n where n.pnpubid = p.oid)`
      : '';
  return `select md5(concat_ws(';', p.oid, p.xmin, (select string_agg(concat_ws(':', r.oid, r.xmin), ',' order by r.oid) from pg_publication_rel r where r.prpubid = p.oid)${schemas})) from pg_publication p where p.pubname = $2`;
}
