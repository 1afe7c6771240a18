import { jsonSchema } from './schema/index.ts';

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  items?: Schema;
}

const INTRO = `# Every key of the configuration

Made from the schema that checks a config: \`tidegate schema\` prints it for editors, and \`tidegate init\` writes a
file that names it. Durations are \`250ms\`, \`5s\`, \`10m\`, \`1h\`, \`7d\`; sizes \`64KiB\`, \`10MiB\`; \`none\` means no bound.
How a config is read, filled in and reloaded stands in [configuration.md](configuration.md).
`;

/** The reference of all keys, as Markdown: what docs/reference.md holds. */
export function referencePage(): string {
  const root = jsonSchema() as Schema;
  const sections = Object.entries(root.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .map(([key, schema]) => section(key, schema));
  return `${INTRO}\n${sections.join('\n')}`;
}

function section(key: string, schema: Schema): string {
  const rows = rowsOf(schema, key, 0);
  const table = rows.length === 0 ? '' : `\n| key | |\n| --- | --- |\n${rows.join('\n')}\n`;
  return `## ${key}\n\n${schema.description ?? ''}\n${table}`;
}

/** A row for each key below, as deep as the schema goes. */
function rowsOf(schema: Schema, path: string, depth: number): string[] {
  if (depth > 6) return [];
  return childrenOf(schema).flatMap(([key, child]) => {
    const name = `${path}.${key}`;
    const row = `| \`${name}\` | ${cell(child.description ?? '')} |`;
    return [...(key === 'NAME' ? [] : [row]), ...rowsOf(child, name, depth + 1)];
  });
}

/** The members of an object, of the entries of a record or list, and of each form that a value can take. */
function childrenOf(schema: Schema): [string, Schema][] {
  const own = Object.entries(schema.properties ?? {});
  const { additionalProperties: entries } = schema;
  const named: [string, Schema][] =
    typeof entries === 'object' && childrenOf(entries).length > 0 ? [['NAME', entries]] : [];
  const forms = (schema.anyOf ?? []).flatMap(childrenOf);
  const items = schema.items === undefined ? [] : childrenOf(schema.items);
  const all = new Map<string, Schema>();
  for (const [key, child] of [...own, ...named, ...forms, ...items]) if (!all.has(key)) all.set(key, child);
  return [...all];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
