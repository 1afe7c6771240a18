/** Whatever stands in the place of whatever: a config that is wrong is told so, and never takes its reader down. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadObject } from '../../src/config/index.ts';

const root = join(import.meta.dirname, '../..');

type Path = (string | number)[];
type Tree = Record<string | number, unknown>;

/** What stands nowhere but by mistake, or only here and there. */
const MISTAKES = [null, [null], {}, [{}], { a: 1 }, 'none', 5, true];
/** What only a program can put there. */
const ODDITIES = [Number.NaN, 5n, new Map([[1, 2]])];

/** Each file of the examples, each block of YAML in the docs. */
function configs(): [string, Tree][] {
  const examples = globSync('examples/**/*.yaml', { cwd: root }).map((file): [string, string] => [
    file,
    readFileSync(join(root, file), 'utf8'),
  ]);
  const blocks = globSync('docs/*.md', { cwd: root }).flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
      ({ 1: block = '' }): [string, string] => [page, block],
    ),
  );
  return [...examples, ...blocks]
    .map(([place, text]): [string, Tree] => [place, parse(text, { merge: true })])
    .filter(([, value]) => typeof value === 'object' && value !== null);
}

function* places(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value))
    yield* places(item, [...path, Array.isArray(value) ? Number(key) : key]);
}

function replaced(config: Tree, path: Path, value: unknown): Tree {
  const copy = structuredClone(config);
  const owner = path.slice(0, -1).reduce((at, key) => at[key] as Tree, copy);
  owner[path.at(-1)!] = value;
  return copy;
}

test('a wrong value at any place of a config is an error of the config, not of the gateway', {
  timeout: 120_000,
}, () => {
  const crashes: string[] = [];
  let tried = 0;
  for (const [name, config] of configs()) {
    for (const path of places(config)) {
      for (const mistake of [...MISTAKES, ...ODDITIES]) {
        tried++;
        try {
          loadObject(replaced(config, path, mistake), root, { env: {} });
        } catch (error) {
          crashes.push(`${name}: ${path.join('.')}: ${inspect(mistake)}: ${error}`);
        }
      }
    }
  }
  expect(crashes).toEqual([]);
  expect(tried).toBeGreaterThan(10_000);
});
