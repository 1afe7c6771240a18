import { describe, expect, test } from 'vitest';
import { jsonSchema } from './json-schema.ts';

interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: boolean | Node;
  anyOf?: Node[];
  items?: Node;
  description?: string;
  pattern?: string;
  enum?: unknown[];
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

/** A part of the schema, and all below it. */
function every(node: Node): Node[] {
  const more = typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
  const items = node.items === undefined ? [] : [node.items];
  const below = [...Object.values(node.properties ?? {}), ...(node.anyOf ?? []), ...items, ...more];
  return [node, ...below.flatMap(every)];
}

describe('the JSON Schema', () => {
  const schema = jsonSchema() as Node;

  test('says of every key what it is for', () => {
    const all = keys(schema);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, key]) => key.description === undefined).map(([path]) => path)).toEqual([]);
  });

  test('takes what is filled in wherever it asks for a word or a text of a certain look', () => {
    const filled = (node: Node) => node.pattern !== undefined && new RegExp(node.pattern).test('${env.NAME}');
    const parts = Object.values(schema.properties!).flatMap(every);
    expect(parts.filter((part) => part.pattern !== undefined && !filled(part))).toEqual([]);
    const words = parts.filter((part) => part.enum !== undefined);
    const beside = parts.filter((part) => part.anyOf?.some(filled)).flatMap((part) => part.anyOf);
    expect(words.length).toBeGreaterThan(10);
    expect(words.filter((part) => !beside.includes(part))).toEqual([]);
  });
});
