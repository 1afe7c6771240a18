import type { ChangeSourceConfig } from '../../config/model.ts';
import { compileTemplate } from '../../expression/index.ts';
import { systemRandom } from '../../util/random.ts';
import type { SourceFinding } from '../finding.ts';
import { compileMapping, rowScope } from '../mapping/index.ts';
import { Catalog, type TableRow } from './catalog.ts';
import { checkServer, checkSlot, checkTables } from './prepare.ts';
import { explain, quotedTable } from './problem.ts';

/** Asks the database of a source whether it can be followed. Never rejects. */
export async function inspectPostgres(config: ChangeSourceConfig): Promise<SourceFinding> {
  const { reader } = config;
  if (reader.kind !== 'postgres') return { error: null, advice: [] };
  const { url, slot, publication } = reader;
  let catalog: Catalog | null = null;
  try {
    catalog = await Catalog.connect(url, `tidegate check ${systemRandom.hex(4)}`, () => {});
    await checkServer(catalog);
    await checkSlot(catalog, { slot, publication }, decodeURIComponent(new URL(url).pathname.slice(1)));
    const tables = await checkTables(catalog, compileMapping(config));
    return { error: null, advice: tables.flatMap((table) => identityAdvice(table, config)) };
  } catch (error) {
    return { error: explain(error), advice: [] };
  } finally {
    await catalog?.end();
  }
}

/** Of an old row the database tells its key alone, unless the table's REPLICA IDENTITY is FULL. */
function identityAdvice(table: TableRow, config: ChangeSourceConfig): string[] {
  if (table.identity === 'f') return [];
  const unsent = (config.tables[table.table] ?? []).flatMap(({ tags }) =>
    tags.flatMap((tag) => {
      const columns = [...compileTemplate(tag, rowScope).mentions].flatMap(
        (path) => path.split('.')[1] ?? [],
      );
      const missing = columns.find((column) => !table.key.includes(column));
      return missing === undefined ? [] : [{ tag, missing }];
    }),
  );
  return unsent.map(
    ({ tag, missing }) =>
      `the old ${missing} of ${table.table} is not told, so each UPDATE and DELETE unseats every entry with a tag like ${String(tag)}: run ALTER TABLE ${quotedTable(table.table)} REPLICA IDENTITY FULL;`,
  );
}
