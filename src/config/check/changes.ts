import { changeScope, rowScope } from '../../changes/index.ts';
import type { ChangeSourceInput, ConfigInput } from '../schema/index.ts';
import { checkFeedPlaces } from './change-feeds.ts';
import { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';

/** Type-checks what change sources make of a row, and finds sources that would take each other's place. */
export function checkChanges(input: ConfigInput, findings: Findings): void {
  const check = new CompileCheck(findings);
  const sources = Object.entries(input.changes ?? {});
  for (const [name, source] of sources) {
    for (const [table, rules] of Object.entries(source.tables ?? {}))
      checkTable(rules, ['changes', name, 'tables', table], check);
  }
  checkSlots(sources, findings);
  checkFeedPlaces(sources, findings);
}

type TableInput = NonNullable<ChangeSourceInput['tables']>[string];

function checkTable(table: TableInput, path: Path, check: CompileCheck): void {
  if (!Array.isArray(table)) return checkEntry(table, path, check);
  for (const [index, entry] of table.entries())
    if (entry !== undefined) checkEntry(entry, [...path, index], check);
}

function checkEntry(entry: Exclude<TableInput, readonly unknown[]>, path: Path, check: CompileCheck): void {
  if (typeof entry === 'string') return checkTag(entry, path, check);
  const { tags, when } = entry;
  if (typeof tags === 'string') checkTag(tags, [...path, 'tags'], check);
  else
    for (const [index, tag] of (tags ?? []).entries())
      if (tag !== undefined) checkTag(tag, [...path, 'tags', index], check);
  if (when !== undefined) check.pureCondition(when, changeScope, [...path, 'when']);
}

function checkTag(tag: string, path: Path, check: CompileCheck): void {
  check.pureTemplate(tag, rowScope, path);
}

/** Two readers of one slot would each see half of the changes. */
function checkSlots(sources: readonly (readonly [string, ChangeSourceInput])[], findings: Findings): void {
  const taken = new Map<string, string>();
  for (const [name, { postgres }] of sources) {
    if (postgres?.url === undefined || !URL.canParse(postgres.url)) continue;
    const { hostname, port } = new URL(postgres.url);
    const slot = postgres.slot ?? 'tidegate';
    const key = `${hostname}:${port || 5432} ${slot}`;
    const other = taken.get(key);
    taken.set(key, other ?? name);
    if (other === undefined) continue;
    findings.error(
      'TG_CONFIG_CONFLICT',
      ['changes', name, 'postgres'],
      `the sources "${other}" and "${name}" read the slot "${slot}" of the same server`,
      'give each a slot of its own, or make one source of them',
      { atKey: true, also: { path: ['changes', other, 'postgres'], atKey: true } },
    );
  }
}
