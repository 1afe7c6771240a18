import type { ChangeReaderConfig, ChangeRuleConfig, ChangeSourceConfig } from '../model.ts';
import type { ChangeSourceInput, ConfigInput } from '../schema/types.ts';
import { feedOf } from './change-feeds.ts';
import { durationOf, listOf, record } from './scalars.ts';

type TableInput = NonNullable<ChangeSourceInput['tables']>[string];

export function normaliseChanges(input: ConfigInput['changes']): Record<string, ChangeSourceConfig> {
  return record(Object.entries(input ?? {}).map(([name, source]) => [name, sourceOf(name, source)]));
}

function sourceOf(name: string, source: ChangeSourceInput): ChangeSourceConfig {
  return {
    name,
    reader: readerOf(source),
    tables: record(Object.entries(source.tables).map(([table, rules]) => [table, rulesOf(rules)])),
    settle: durationOf(source.settle, 0),
    maxWait: durationOf(source.maxWait, 100),
    readYourWrites: source.readYourWrites ?? null,
    maxLag: source.maxLag === undefined ? null : durationOf(source.maxLag, 0),
    servesLate: source.onLag === 'serve',
  };
}

function readerOf(source: ChangeSourceInput): ChangeReaderConfig {
  const { postgres } = source;
  if (postgres === undefined) return feedOf(source);
  const { url, slot = 'tidegate', publication = 'tidegate' } = postgres;
  return { kind: 'postgres', url, slot, publication };
}

/** Tags of their own in a list are one rule; each long form is another. */
function rulesOf(table: TableInput): ChangeRuleConfig[] {
  const plain: string[] = [];
  const rules: ChangeRuleConfig[] = [];
  for (const entry of listOf(table)) {
    if (typeof entry === 'string') plain.push(entry);
    else
      rules.push({ tags: listOf(entry.tags), when: entry.when ?? null, columns: columnsOf(entry.columns) });
  }
  if (plain.length > 0) rules.unshift({ tags: plain, when: null, columns: null });
  return rules;
}

function columnsOf(columns: string | string[] | undefined): string[] | null {
  return columns === undefined ? null : listOf(columns);
}
