import type { ChangeSourceConfig } from '../../config/model.ts';
import { systemClock } from '../../util/clock.ts';
import { nearest } from '../../util/suggest.ts';
import type { Mapping } from '../contract.ts';
import type { SourceFinding } from '../finding.ts';
import { compileMapping } from '../mapping/index.ts';
import { adviceFor } from './advice.ts';
import { ControlConnection, type MysqlServer } from './server.ts';

/** Columns whose bytes no tag can spell. */
const BINARY = /binary|blob|uuid|geometry|point|bit/i;

/** Asks the server of a source whether it can be followed. Never rejects. */
export async function inspectMysql(
  { server, serverId }: { server: MysqlServer; serverId: number },
  config: ChangeSourceConfig,
): Promise<SourceFinding> {
  let control: ControlConnection | null = null;
  try {
    control = await ControlConnection.open(server, systemClock);
    const facts = await control.facts();
    if (facts.serverId === serverId)
      return broken(`serverId ${serverId} is the server's own: give the source a number of its own`);
    if (facts.complaint !== null) return broken(facts.complaint);
    const missing = missingRights(await control.grants(), facts.isMariaDb);
    if (missing !== null) return broken(missing);
    const mapping = compileMapping(config);
    const slip = await slipOf(control, mapping);
    if (slip !== null) return broken(slip);
    return { error: null, advice: [...facts.advice, ...(await binaryColumns(control, mapping))] };
  } catch (error) {
    return broken(adviceFor(error as Error));
  } finally {
    control?.close();
  }
}

function broken(error: string): SourceFinding {
  return { error, advice: [] };
}

function missingRights(grants: readonly string[], isMariaDb: boolean): string | null {
  const all = grants.join('\n').toUpperCase();
  if (/ALL PRIVILEGES ON \*\.\*/.test(all)) return null;
  const onAll = grants.filter((grant) => / ON \*\.\* /i.test(grant)).join('\n');
  const slave = /REPLICATION (SLAVE|REPLICA)(,| ON)/i.test(onAll);
  const monitor = /BINLOG MONITOR|REPLICATION CLIENT|SLAVE MONITOR|\bSUPER\b/i.test(onAll);
  if (slave && monitor) return null;
  const wanted = isMariaDb ? 'REPLICATION SLAVE, BINLOG MONITOR' : 'REPLICATION SLAVE, REPLICATION CLIENT';
  return `the user may not read the binary log: run GRANT ${wanted} ON *.* TO the user`;
}

/** A table or column that isn't there, and what may have been meant; null: all are there. */
export async function slipOf(control: ControlConnection, mapping: Mapping): Promise<string | null> {
  const columns = await control.columnsOf([...new Set([...mapping.tables.keys()].map(databaseOf))]);
  for (const [name, { columns: read }] of mapping.tables) {
    const found = columns.get(name);
    if (found === undefined) {
      const meant = nearest(name, columns.keys());
      return `there is no table ${name}, or the user may not SELECT from it${meant === null ? '' : `; did you mean ${meant}?`}`;
    }
    for (const column of read ?? []) {
      if (found.has(column)) continue;
      const meant = nearest(column, found.keys());
      return `${name} has no column ${column}; ${meant === null ? `it has ${[...found.keys()].join(', ')}` : `did you mean ${meant}?`}`;
    }
  }
  return null;
}

async function binaryColumns(control: ControlConnection, mapping: Mapping): Promise<string[]> {
  const columns = await control.columnsOf([...new Set([...mapping.tables.keys()].map(databaseOf))]);
  return [...mapping.tables].flatMap(([name, { columns: read }]) =>
    [...(read ?? [])]
      .filter((column) => BINARY.test(columns.get(name)?.get(column) ?? ''))
      .map(
        (column) =>
          `${name}.${column} is binary, which no tag can spell: each change of the table unseats all that it could have tagged`,
      ),
  );
}

function databaseOf(table: string): string {
  return table.slice(0, table.indexOf('.'));
}
