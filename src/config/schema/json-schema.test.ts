import { describe, expect, test } from 'vitest';
import { loadObject } from '../load.ts';
import { jsonSchema } from './json-schema.ts';
import { NOT_BUILT } from './not-built.ts';

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

  test('holds no key that is not built yet', () => {
    const { services, routes } = schema.properties!;
    const has = (node: Node | undefined, key: string) => Object.hasOwn(node?.properties ?? {}, key);
    for (const key of NOT_BUILT.Config ?? []) expect(has(schema, key), key).toBe(false);
    const service = services!.additionalProperties as Node;
    for (const key of NOT_BUILT.Service ?? []) expect(has(service, key), key).toBe(false);
    const route = routes!.additionalProperties as Node;
    for (const key of NOT_BUILT.Route ?? []) expect(has(route, key), key).toBe(false);
  });
});

describe('a key that is not built yet', () => {
  const at: Record<string, (key: string) => object> = {
    Service: (key) => ({ services: { a: { url: 'http://127.0.0.1', [key]: {} } } }),
    ChangeSource: (key) => ({ changes: { shop: { tables: { 'public.a': ['a'] }, [key]: {} } } }),
    Listener: (key) => ({ listen: { address: '127.0.0.1:80', [key]: {} } }),
    ListenerTls: (key) => ({ listen: { address: '127.0.0.1:80', tls: { [key]: {} } } }),
    Admin: (key) => ({ admin: { [key]: {} } }),
    AuthProvider: (key) => ({ auth: { a: { [key]: {} } } }),
    RouteCache: (key) => ({ routes: { a: { match: '/', cache: { [key]: {} } } } }),
  };
  const cases = Object.entries(NOT_BUILT).flatMap(([place, names]) =>
    names.map((key) => [place, key] as const),
  );

  test.each(cases)('%s.%s is an error that says so', (place, key) => {
    const { issues } = loadObject(at[place]!(key), '.', { env: {} });
    expect(issues).toContainEqual(expect.objectContaining({ code: 'TG_CONFIG_NOT_BUILT' }));
    expect(issues).not.toContainEqual(expect.objectContaining({ code: 'TG_CONFIG_UNKNOWN_KEY' }));
  });
});
