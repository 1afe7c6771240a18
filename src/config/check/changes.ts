import { changeScope, rowScope } from '../../changes/index.ts';
import { readsPartOf, requestScope } from '../../expression/index.ts';
import type { ChangeSourceInput, ConfigInput } from '../schema/index.ts';
import { checkFeedPlaces } from './change-feeds.ts';
import { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';

/** Type-checks what change sources make of a row, and finds sources that would take each other's place. */
export function checkChanges(input: ConfigInput, findings: Findings): void {
  const check = new CompileCheck(findings);
  const sources = Object.entries(input.changes ?? {});
  for (const [name, source] of sources) {
    const isAnybodyKnown = Object.keys(input.auth ?? {}).length > 0;
    checkKey(source.readYourWrites, ['changes', name, 'readYourWrites'], isAnybodyKnown, check, findings);
    for (const [table, rules] of Object.entries(source.tables ?? {}))
      checkTable(rules, ['changes', name, 'tables', table], check, findings);
  }
  checkSlots(sources, findings);
  checkFeedPlaces(sources, findings);
}

/** What tells clients apart is asked of every request that is cached, long before there is a body. */
function checkKey(
  source: ChangeSourceInput['readYourWrites'],
  path: Path,
  isAnybodyKnown: boolean,
  check: CompileCheck,
  findings: Findings,
): void {
  if (source === undefined) return;
  const mentions = check.value(source, requestScope, path)?.mentions ?? [];
  if (!isAnybodyKnown && readsPartOf(mentions, 'auth'))
    findings.warning(
      'TG_CONFIG_AUTH',
      path,
      'no provider of this config tells who asks: nobody would be known again',
      'add one under auth, or take a header or cookie',
    );
  if (!readsPartOf(mentions, 'request.body')) return;
  findings.error(
    'TG_CONFIG_EXPRESSION',
    path,
    'what tells clients apart can not be the body of a request',
    'take what all requests of a client have: auth.subject, or a header or cookie',
  );
}

type TableInput = NonNullable<ChangeSourceInput['tables']>[string];

function checkTable(table: TableInput, path: Path, check: CompileCheck, findings: Findings): void {
  if (!Array.isArray(table)) return checkEntry(table, path, check, findings);
  for (const [index, entry] of table.entries())
    if (entry !== undefined) checkEntry(entry, [...path, index], check, findings);
}

function checkEntry(
  entry: Exclude<TableInput, readonly unknown[]>,
  path: Path,
  check: CompileCheck,
  findings: Findings,
): void {
  if (typeof entry === 'string') return checkTag(entry, path, check);
  const { tags, when } = entry;
  if (typeof tags === 'string') checkTag(tags, [...path, 'tags'], check);
  else
    for (const [index, tag] of (tags ?? []).entries())
      if (tag !== undefined) checkTag(tag, [...path, 'tags', index], check);
  if (when === undefined) return;
  check.pureCondition(when, changeScope, [...path, 'when']);
  if (typeof when === 'string') checkOperations(when, [...path, 'when'], findings);
}

/** How Debezium and SQL spell what `change.op` is, beside its own words. */
const SPELLINGS: Readonly<Record<string, string>> = {
  c: 'insert',
  create: 'insert',
  i: 'insert',
  u: 'update',
  d: 'delete',
};
/** A TRUNCATE counts whatever `when` says. */
const OPERATIONS: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'truncate']);

const TEXT = `(?:"[^"]*"|'[^']*')`;
const COMPARED = new RegExp(
  `\\bchange\\s*\\.\\s*op\\s*(?:[=!]=\\s*(${TEXT})|in\\s*\\[([^\\]]*)\\])|(${TEXT})\\s*[=!]=\\s*change\\s*\\.\\s*op\\b`,
  'dg',
);

/** Compared with a word that it never is, a condition would never hold, and nothing would be unseated. */
function checkOperations(when: string, path: Path, findings: Findings): void {
  for (const { indices } of when.matchAll(COMPARED)) {
    const span = indices!.slice(1).find((found) => found !== undefined)!;
    for (const text of when.slice(...span).matchAll(new RegExp(TEXT, 'g'))) {
      const word = text[0].slice(1, -1);
      if (OPERATIONS.has(word)) continue;
      const start = span[0] + text.index;
      const meant =
        SPELLINGS[word.toLowerCase()] ?? (OPERATIONS.has(word.toLowerCase()) ? word.toLowerCase() : null);
      findings.error(
        'TG_CONFIG_VALUE',
        path,
        `change.op is never "${word}"`,
        meant === null ? 'it is insert, update or delete' : `say "${meant}": it is insert, update or delete`,
        { span: [start, start + text[0].length] },
      );
    }
  }
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
