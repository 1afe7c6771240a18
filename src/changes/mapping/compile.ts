import { createHash } from 'node:crypto';
import type { ChangeSourceConfig } from '../../config/model.ts';
import { compileTemplate } from '../../expression/index.ts';
import type { Mapping, TableMapping } from '../contract.ts';
import { type Family, familyOf } from './family.ts';
import { placeOf } from './place.ts';
import { Rule } from './rule.ts';
import { rowScope } from './scope.ts';
import { type Complain, TouchedTags, type Wanted } from './touched.ts';

/** Compiles which tags a source's changes mean. Throws an ExpressionError for what `check` would refuse. */
export function compileMapping(
  config: ChangeSourceConfig,
  complain: Complain = () => {},
  shown: Wanted = () => 0,
): Mapping {
  const rules = new Map(
    Object.entries(config.tables).map(([table, configs]) => [
      table,
      configs.map((rule) => new Rule(config.name, rule)),
    ]),
  );
  const tables = new Map<string, TableMapping>();
  for (const [table, own] of rules)
    tables.set(table, { table, columns: columnsOf(own), families: namesOf(familiesOf(own)) });
  const mapping: Mapping = {
    source: config.name,
    tables,
    families: namesOf([...rules.values()].flatMap(familiesOf)),
    hash: mappingHash(config),
    touched: () => new TouchedTags(mapping, rules, complain, shown()),
  };
  return mapping;
}

/** The families of a source, each once: what a worker needs to know of its mapping. */
export function compileFamilies({ name, tables }: ChangeSourceConfig): Family[] {
  const families = new Map<string, Family>();
  for (const rules of Object.values(tables)) {
    for (const tag of rules.flatMap(({ tags }) => tags)) {
      const family = familyOf(name, compileTemplate(tag, rowScope, { pure: true }).literals);
      families.set(family.name, family);
    }
  }
  return [...families.values()];
}

/** All that decides which tags a change means, and of which database. Credentials don't. */
export function mappingHash({ reader, tables }: ChangeSourceConfig): string {
  const place = placeOf(reader);
  const rules = Object.keys(tables)
    .sort()
    .map((table) => [
      table,
      tables[table]!.map(({ tags, when, columns }) => [tags.map(String), when && String(when), columns]),
    ]);
  return createHash('sha256')
    .update(JSON.stringify([reader.kind, place, rules]))
    .digest('hex')
    .slice(0, 16);
}

function familiesOf(rules: readonly Rule[]): Family[] {
  return rules.flatMap((rule) => [...rule.families]);
}

function namesOf(families: readonly Family[]): string[] {
  return [...new Set(families.map(({ name }) => name))];
}

function columnsOf(rules: readonly Rule[]): ReadonlySet<string> | null {
  const columns = new Set<string>();
  for (const rule of rules) {
    const own = rule.columns();
    if (own === null) return null;
    for (const column of own) columns.add(column);
  }
  return columns;
}
