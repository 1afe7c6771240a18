import { setTimeout as delay } from 'node:timers/promises';
import { nearest } from '../../util/suggest.ts';
import type { Mapping } from '../contract.ts';
import type { Catalog, SlotRow, TableRow } from './catalog.ts';
import { quoted, quotedTable, SourceProblem, sqlState } from './problem.ts';

/** PostgreSQL 14, whose snapshots and slots tell what is asked of them. */
const OLDEST = 140_000;

export interface Names {
  readonly slot: string;
  readonly publication: string;
}

/** The server can be followed at all. Throws a SourceProblem with what to do. */
export async function checkServer(catalog: Catalog): Promise<void> {
  if (catalog.version < OLDEST)
    throw new SourceProblem(
      `PostgreSQL ${Math.floor(catalog.version / 10_000)} is too old: it takes 14 or newer`,
      { closes: true },
    );
  if ((await catalog.setting('wal_level')) === 'logical') return;
  throw new SourceProblem(
    "the database does not write a logical log: run ALTER SYSTEM SET wal_level = 'logical'; and restart it",
    {
      closes: true,
    },
  );
}

/** A slot of that name is one that may be read here; a wrong one belongs to somebody else and is left alone. */
export async function checkSlot(catalog: Catalog, { slot }: Names, database: string): Promise<void> {
  const found = await catalog.slot(slot);
  const wrong = found === null ? null : wrongSlot(slot, found, database);
  if (wrong !== null) throw new SourceProblem(wrong, { closes: true });
}

/** Tables and columns that the mapping names are there. */
export async function checkTables(catalog: Catalog, mapping: Mapping): Promise<TableRow[]> {
  const wanted = [...mapping.tables.keys()];
  const tables = await catalog.tables(wanted);
  const known = new Map(tables.map((row) => [row.table, row]));
  for (const name of wanted) {
    const row = known.get(name);
    if (row === undefined) throw new SourceProblem(await unknownTable(catalog, name), { closes: true });
    if (row.kind !== 'r' && row.kind !== 'p')
      throw new SourceProblem(
        `${name} is no table: changes of ${KINDS[row.kind] ?? 'such relations'} are not told; name the tables it is made of`,
        { closes: true },
      );
    if (row.identity === 'n' || (row.identity === 'd' && row.key.length === 0))
      throw new SourceProblem(
        `${name} has no key by which changed rows could be told: once it is published, its UPDATEs and DELETEs fail. Give it a primary key, or run ALTER TABLE ${quotedTable(name)} REPLICA IDENTITY FULL;`,
        { closes: true },
      );
    const heir = row.heirs.find((other) => !mapping.tables.has(other));
    if (heir !== undefined)
      throw new SourceProblem(
        `${heir} inherits from ${name}, and its rows are told under its own name: list it in tables, with the tags of ${name}`,
        { closes: true },
      );
    const missing = missingColumn(row, mapping.tables.get(name)!.columns, catalog.version);
    if (missing !== null) throw new SourceProblem(missing, { closes: true });
  }
  return tables;
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'views',
  m: 'materialized views',
  f: 'foreign tables',
  i: 'indexes',
  S: 'sequences',
};

async function unknownTable(catalog: Catalog, name: string): Promise<string> {
  const all = await catalog.tableNames();
  const meant = nearest(name, all) ?? all.find((other) => other.split('.')[1] === name.split('.')[1]) ?? null;
  return `there is no table ${name}${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** What is wrong with the columns that templates of a table read, in words; null: nothing. */
function missingColumn(row: TableRow, columns: ReadonlySet<string> | null, version: number): string | null {
  for (const column of columns ?? []) {
    if (row.columns.includes(column)) continue;
    if (row.generated.includes(column)) {
      if (version >= 180_000) continue;
      return `${row.table}.${column} is a generated column, whose values are not told of; use the columns it is made from`;
    }
    const meant = nearest(column, row.columns);
    return `${row.table} has no column ${column}; ${meant === null ? `it has ${row.columns.join(', ')}` : `did you mean ${meant}?`}`;
  }
  return null;
}

/**
 * Makes the publication, or adds what it lacks. Gives true where anything had to be done: what changed before that
 * was not told.
 */
export async function ensurePublication(
  catalog: Catalog,
  { publication, slot }: Names,
  mapping: Mapping,
  tables: readonly TableRow[],
): Promise<boolean> {
  const wanted = [...mapping.tables.keys()];
  const found = await catalog.publication(publication);
  if (found === null) {
    const sql = `CREATE PUBLICATION ${quoted(publication)} FOR TABLE ${wanted.map(quotedTable).join(', ')} WITH (publish_via_partition_root = true);`;
    await attempt(catalog, sql, `there is no publication ${publication}`);
    // Up to 15 a slot that was there before it never finds it.
    if ((await catalog.slot(slot)) !== null) await dropSlot(catalog, slot);
    return true;
  }
  if (found.missing.length > 0)
    throw new SourceProblem(
      `the publication ${publication} leaves out ${found.missing.join(' and ')}: run ALTER PUBLICATION ${quoted(publication)} SET (publish = 'insert, update, delete, truncate');`,
      { closes: true },
    );
  const partitioned = tables.find(({ kind }) => kind === 'p');
  if (partitioned !== undefined && !found.via_root) {
    const sql = `ALTER PUBLICATION ${quoted(publication)} SET (publish_via_partition_root = true);`;
    await attempt(
      catalog,
      sql,
      `${partitioned.table} is partitioned, and the publication ${publication} tells of its partitions only`,
    );
    return true;
  }
  const published = new Map((await catalog.published(publication)).map((row) => [row.table, row]));
  const lacking = wanted.filter((table) => !published.has(table));
  if (lacking.length > 0) {
    const sql = `ALTER PUBLICATION ${quoted(publication)} ADD TABLE ${lacking.map(quotedTable).join(', ')};`;
    await attempt(catalog, sql, `the publication ${publication} lacks ${lacking.join(', ')}`);
    return true;
  }
  for (const table of wanted) {
    const row = published.get(table)!;
    if (row.filter !== null)
      throw new SourceProblem(
        `the publication ${publication} has a row filter on ${table}, so that changes of other rows are not told: run ALTER PUBLICATION ${quoted(publication)} DROP TABLE ${quotedTable(table)}; and let it be added again`,
        { closes: true },
      );
    const hidden = [...(mapping.tables.get(table)!.columns ?? [])].find(
      (column) => row.columns !== null && !row.columns.includes(column),
    );
    if (hidden !== undefined)
      throw new SourceProblem(
        `the publication ${publication} leaves out the column ${hidden} of ${table}: run ALTER PUBLICATION ${quoted(publication)} DROP TABLE ${quotedTable(table)}; and let it be added again`,
        { closes: true },
      );
  }
  return false;
}

async function attempt(catalog: Catalog, sql: string, trouble: string): Promise<void> {
  try {
    await catalog.run(sql);
  } catch (error) {
    if (sqlState(error) === '42501')
      throw new SourceProblem(
        `${trouble}, and this user may not mend it (${(error as Error).message}): run ${sql}`,
        { closes: true },
      );
    // Another node did the same at the same moment.
    if (sqlState(error) === '42710') return;
    throw error;
  }
}

/** Makes the slot, or anew where it is lost. Gives why there is a gap, or null where there is none. */
export async function ensureSlot(
  catalog: Catalog,
  { slot }: Names,
  make: () => Promise<void>,
): Promise<string | null> {
  const found = await catalog.slot(slot);
  if (found === null) {
    await make();
    return 'the replication slot is new';
  }
  if (found.wal_status !== 'lost') return null;
  await dropSlot(catalog, slot);
  await make();
  return 'the replication slot had been invalidated: the log that it needed is gone (max_slot_wal_keep_size)';
}

function wrongSlot(
  name: string,
  { plugin, slot_type, database, temporary }: SlotRow,
  wanted: string,
): string | null {
  const instead = 'drop it, or name another slot';
  if (slot_type !== 'logical') return `the slot ${name} is a ${slot_type} one: ${instead}`;
  if (plugin !== 'pgoutput') return `the slot ${name} is of the plugin ${plugin}, not pgoutput: ${instead}`;
  if (database !== wanted) return `the slot ${name} is of the database ${database}: ${instead}`;
  return temporary ? `the slot ${name} is a temporary one of another connection: ${instead}` : null;
}

async function dropSlot(catalog: Catalog, slot: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await catalog.run(`select pg_drop_replication_slot('${slot}')`);
      return;
    } catch (error) {
      if (sqlState(error) === '42704') return;
      // Its reader has not quite gone.
      if (sqlState(error) !== '55006' || tries === 10) throw error;
      await delay(100);
    }
  }
}
