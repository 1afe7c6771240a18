/** What a statement in the binlog may have changed. */
export type Effect =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'commit' }
  /** Just these tables, as `database.table`. */
  | { readonly kind: 'tables'; readonly tables: readonly string[] }
  /** Any table; `rows`: it changed rows, and should have come as rows. */
  | { readonly kind: 'any'; readonly rows: boolean };

const NOTHING: Effect = { kind: 'nothing' };
const ANY: Effect = { kind: 'any', rows: false };

const COMMENT = /^(?:\s+|\/\*(?!!).*?\*\/|--[^\n]*\n|#[^\n]*(?:\n|$))+/s;
const NAME = '(?:`(?:[^`]|``)+`|[^\\s`.,;()]+)';
const TABLE = `${NAME}(?:\\s*\\.\\s*${NAME})?`;
const TABLES = new RegExp(
  `^(?:truncate(?:\\s+table)?|drop\\s+(?:temporary\\s+)?table(?:\\s+if\\s+exists)?|alter\\s+(?:online\\s+|ignore\\s+)*table(?:\\s+if\\s+exists)?|create\\s+or\\s+replace\\s+table|optimize\\s+table|repair\\s+table)\\s+(${TABLE}(?:\\s*,\\s*${TABLE})*)`,
  'i',
);
const HARMLESS =
  /^(?:begin|start|savepoint|release|rollback|set|grant|revoke|analyze|flush|create(?!\s+or\s+replace\s+(?:temporary\s+)?table)|drop\s+(?:temporary|index|view|trigger|user|role|procedure|function|event)|alter\s+(?:user|view|event|procedure|function)|xa\s+(?:start|begin|end|prepare|rollback))\b/i;

/** Judges a statement that came in a `query` event, run in `database`. What isn't recognised may have changed anything. */
export function effectOf(statement: string, database: string): Effect {
  const text = statement.replace(COMMENT, '');
  if (text === '') return NOTHING;
  if (/^commit\b/i.test(text)) return { kind: 'commit' };
  if (HARMLESS.test(text)) return NOTHING;
  if (/^(?:insert|update|delete|replace|load)\b/i.test(text)) return { kind: 'any', rows: true };
  const [, names] = TABLES.exec(text) ?? [];
  if (names === undefined || /\brename\b|\bexchange\s+partition\b/i.test(text)) return ANY;
  return {
    kind: 'tables',
    tables: [...names.matchAll(new RegExp(TABLE, 'g'))].map(([name]) => qualified(name, database)),
  };
}

/** Does it define a foreign key? */
export function definesKeys(statement: string): boolean {
  return /^\s*(?:create|alter)\b/i.test(statement.replace(COMMENT, '')) && /\breferences\b/i.test(statement);
}

/** Could it be about one of these databases at all? */
export function concerns(statement: string, database: string, databases: ReadonlySet<string>): boolean {
  return databases.has(database) || [...databases].some((name) => statement.includes(name));
}

function qualified(name: string, database: string): string {
  const parts = [...name.matchAll(new RegExp(NAME, 'g'))].map(([part]) => unquoted(part));
  return parts.length > 1 ? parts.join('.') : `${database}.${parts[0] ?? ''}`;
}

function unquoted(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}
