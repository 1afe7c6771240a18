import type { ChangeReaderConfig } from '../config/model.ts';
import type { Mapping } from './contract.ts';
import { compileMapping } from './mapping/index.ts';

/** Nothing of it is looked at. */
const READER = { kind: 'postgres', url: 'postgres://h/d', slot: 's', publication: 'p' } as ChangeReaderConfig;

/** The mapping of a source, from lists of tags by table; for tests. */
export function mappingOf(
  tables: Record<string, string[]>,
  complain: (table: string | null, why: string) => void = () => {},
): Mapping {
  const rules = Object.entries(tables).map(([table, tags]) => [table, [{ tags, when: null, columns: null }]]);
  return compileMapping(
    {
      name: 'test',
      reader: READER,
      tables: Object.fromEntries(rules),
      settle: 0,
      maxWait: 100,
      readYourWrites: null,
      maxLag: null,
      servesLate: false,
    },
    complain,
  );
}
