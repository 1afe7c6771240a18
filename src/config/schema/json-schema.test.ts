import { describe, expect, test } from 'vitest';
import { jsonSchema } from './json-schema.ts';

interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: boolean | Node;
  anyOf?: Node[];
  items?: Node;
  description?: string;
}

/** Every key of every object in the schema, by its path. */
function keys(node: Node, path = ''): [path: string, key: Node][] {
  const own = Object.entries(node.properties ?? {}).map(([name, key]): [string, Node] => [
    `${path}.${name}`,
    key,
  ]);
  const below = [
    ...own,
    ...(node.anyOf ?? []).map((option): [string, Node] => [path, option]),
    ...(node.items === undefined ? [] : [[`${path}[]`, node.items] as [string, Node]]),
    ...(typeof node.additionalProperties === 'object'
      ? [[`${path}.*`, node.additionalProperties] as [string, Node]]
      : []),
  ];
  return [...own, ...below.flatMap(([at, child]) => keys(child, at))];
}

describe('the JSON Schema', () => {
  const schema = jsonSchema() as Node;

  test('says of every key what it is for', () => {
    const all = keys(schema);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, key]) => key.description === undefined).map(([path]) => path)).toEqual([]);
  });
});
