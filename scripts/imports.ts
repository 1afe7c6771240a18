/**
 * Checks that imports go where the layout says: folders downward only and through their doors, no cycles, and no
 * heavy library in what every worker loads.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import type { Outcome } from './steps.ts';

/** Each room of src/ and the rooms it may import. Rooms that all may use stand in `ground`. */
const arrows: Record<string, string[]> = {
  util: [],
  http: [],
  expression: [],
  telemetry: [],
  router: ['expression'],
  acme: ['telemetry'],
  http1: ['telemetry'],
  http2: ['http1'],
  redis: ['telemetry'],
  cache: ['expression', 'redis', 'router', 'telemetry'],
  changes: ['cache', 'expression', 'redis', 'telemetry'],
  upstream: ['http1', 'http2', 'expression', 'telemetry'],
  pipeline: ['router', 'upstream', 'http1', 'expression', 'telemetry'],
  auth: ['pipeline', 'router', 'upstream', 'http1', 'expression', 'telemetry'],
  limit: ['pipeline', 'expression', 'redis', 'telemetry'],
  aggregate: ['cache', 'pipeline', 'expression'],
  config: ['auth', 'aggregate', 'changes', 'pipeline', 'router', 'expression'],
  snapshot: [
    'auth',
    'limit',
    'aggregate',
    'cache',
    'changes',
    'pipeline',
    'router',
    'upstream',
    'http1',
    'expression',
    'telemetry',
  ],
  workers: ['acme', 'cache', 'changes', 'snapshot', 'upstream', 'telemetry', 'http1'],
  admin: [
    'changes',
    'workers',
    'cache',
    'snapshot',
    'pipeline',
    'router',
    'upstream',
    'expression',
    'telemetry',
    'http1',
  ],
  gateway: [
    'acme',
    'auth',
    'limit',
    'cache',
    'changes',
    'admin',
    'workers',
    'config',
    'snapshot',
    'pipeline',
    'router',
    'upstream',
    'telemetry',
    'http1',
    'http2',
  ],
  'start-gateway': ['acme', 'cache', 'changes', 'gateway', 'config', 'upstream', 'telemetry'],
  index: ['start-gateway', 'gateway', 'config'],
  cli: [
    'changes',
    'auth',
    'gateway',
    'admin',
    'workers',
    'config',
    'snapshot',
    'pipeline',
    'router',
    'upstream',
    'expression',
    'telemetry',
  ],
  testkit: ['http1', 'index'],
};

/** Vocabulary: `util` and `http` for all above them, and the model of a loaded config. */
const ground: Record<string, string[]> = { util: [], http: ['util'] };
const model = 'config/model.ts';

/** What a config in TypeScript imports, by way of the package's own door: without what reads configs. */
const sideDoors = ['config/define.ts'];

/** Rooms whose files may be imported one by one. */
const withoutDoor = ['http', 'util'];

/** Loaded by every worker, so kept free of what only reads, checks or serves configs. */
const lean = ['cli/worker.ts', 'index.ts'];
const heavy = ['zod', 'yaml', 'commander', 'hono', 'ioredis', '@peculiar/x509', 'reflect-metadata'];

interface Import {
  from: string;
  line: number;
  /** A file under src/, or the name of a package. */
  to: string;
  typeOnly: boolean;
  lazy: boolean;
}

type Graph = Map<string, Import[]>;

export function checkImports(root: string): Outcome {
  const files = globSync('**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  const graph: Graph = new Map(files.map((file) => [file, importsOf(root, file)]));
  const problems = [...wrongArrows(graph), ...cycles(graph), ...heavyImports(graph)];
  return { ok: problems.length === 0, output: problems.join('\n') };
}

function importsOf(root: string, file: string): Import[] {
  const source = withoutComments(readFileSync(join(root, file), 'utf8'));
  const statement = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w$\s{},*]*?\sfrom\s+)?['"]([^'"\n]+)['"]/gm;
  const call = /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;
  const found = [
    ...[...source.matchAll(statement)].map((match) => ({
      at: match.index,
      to: match[2] ?? '',
      typeOnly: match[1] !== undefined,
      lazy: false,
    })),
    ...[...source.matchAll(call)].map((match) => ({
      at: match.index,
      to: match[1] ?? '',
      typeOnly: false,
      lazy: true,
    })),
  ];
  return found.map(({ at, to, ...kind }) => ({
    from: file,
    line: source.slice(0, at).split('\n').length,
    to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to,
    ...kind,
  }));
}

/** Blanks comments out and keeps their line breaks, so that lines still count. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\/.*$|\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '));
}

function wrongArrows(graph: Graph): string[] {
  return [...graph.values()]
    .flat()
    .map((edge) => ({ edge, why: whyWrong(edge, graph) }))
    .filter(({ why }) => why !== undefined)
    .map(({ edge, why }) => `${place(edge)}: ${why}`);
}

function whyWrong(edge: Import, graph: Graph): string | undefined {
  if (edge.to.startsWith('..')) return isPackageFile(edge.to) ? undefined : `${edge.to} is outside of src/`;
  if (!graph.has(edge.to)) return undefined;
  const from = room(edge.from);
  const to = room(edge.to);
  if (from === to || edge.to === model) return undefined;
  if (!arrows[from]) return `the room ${from}/ is not in the table of scripts/imports.ts`;
  if (from !== 'testkit' && to === 'testkit') return 'testkit/ is for tests';
  if (from in ground ? !ground[from]?.includes(to) : !(to in ground) && !arrows[from].includes(to)) {
    return `${from}/ must not import ${to}/`;
  }
  if (!withoutDoor.includes(to) && !isDoor(edge.to))
    return `import ${to}/ through its door ${to}/index.ts, not ${edge.to}`;
  return undefined;
}

const isPackageFile = (path: string) => path === '../package.json';
const isDoor = (file: string) =>
  !file.includes('/') || /^[^/]+\/index\.ts$/.test(file) || sideDoors.includes(file);

/** The folder under src/, or the name of a file that stands there by itself. */
function room(file: string): string {
  return file.split('/')[0]?.replace(/\.ts$/, '') ?? file;
}

/** Every cycle is named once, by the way it was found. */
function cycles(graph: Graph): string[] {
  const done = new Set<string>();
  const path: Import[] = [];
  const problems: string[] = [];
  const visit = (file: string) => {
    const start = path.findIndex((edge) => edge.from === file);
    if (start >= 0) {
      problems.push(`cycle: ${path.slice(start).map(place).join(' -> ')} -> ${file}`);
      return;
    }
    if (done.has(file)) return;
    for (const edge of graph.get(file) ?? []) {
      if (edge.typeOnly || edge.lazy || !graph.has(edge.to)) continue;
      path.push(edge);
      visit(edge.to);
      path.pop();
    }
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return problems;
}

function heavyImports(graph: Graph): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string, way: string[]) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const edge of graph.get(file) ?? []) {
      if (edge.typeOnly || edge.lazy) continue;
      if (graph.has(edge.to)) visit(edge.to, [...way, edge.to]);
      else if (heavy.includes(packageName(edge.to)))
        problems.push(`${place(edge)}: every worker would load ${edge.to} (${way.join(' -> ')})`);
    }
  };
  for (const file of lean) if (graph.has(file)) visit(file, [file]);
  return problems;
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function place(edge: Import): string {
  return `src/${edge.from}:${edge.line}`;
}

if (process.argv[1] === import.meta.filename) {
  const folder = relative(process.cwd(), join(import.meta.dirname, '../src'));
  if (!existsSync(folder)) throw new Error(`no ${folder} here`);
  const { ok, output } = checkImports(folder);
  console.log(ok ? 'Imports go where they should.' : output);
  process.exitCode = ok ? 0 : 1;
}
