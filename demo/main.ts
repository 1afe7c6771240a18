/** `npm start`: three services and an auth server on one PostgreSQL, Redis where there is one, and the gateway in front of them. */
import { join } from 'node:path';
import { ensurePostgres, findPostgres } from '../scripts/servers.ts';
import { Children } from './children.ts';
import { guide } from './guide.ts';
import { type Options, readOptions, UsageError, usage } from './options.ts';
import { claimable, PortTaken } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { findOrStartRedis } from './redis.ts';
import { seed } from './seed.ts';
import { watchChanges } from './watching.ts';

const root = join(import.meta.dirname, '..');
const terminal = process.stdout.isTTY === true;
const bold = (text: string) => (terminal ? `\x1b[1m${text}\x1b[22m` : text);
const cyan = (text: string) => (terminal ? `\x1b[36m${text}\x1b[39m` : text);

/** Each process of the demo's services: its program, and the variable by which the config finds it. */
const services = [
  { name: 'catalogue', program: 'catalogue.ts', port: 'CATALOGUE_PORT', version: '' },
  { name: 'catalogue, next release', program: 'catalogue.ts', port: 'CATALOGUE_NEXT_PORT', version: 'next' },
  { name: 'discount', program: 'discount.ts', port: 'DISCOUNT_PORT', version: '' },
  { name: 'ordering', program: 'ordering.ts', port: 'ORDERING_PORT', version: '' },
  { name: 'ordering, next release', program: 'ordering.ts', port: 'ORDERING_NEXT_PORT', version: 'next' },
];

let stopping: Promise<never> | undefined;
/** Of what the database changes. */
const watching = new AbortController();

const children = new Children((name, output) => {
  console.error(`\n${name} has ended by itself; the demo stops.\n${output}`);
  void stop(1);
});

/** Ends all and exits; asked again, it ends all at once. */
function stop(code: number): Promise<never> {
  if (stopping) {
    children.kill();
    process.exit(1);
  }
  watching.abort();
  stopping = children.stop().then(() => process.exit(code));
  return stopping;
}

/** Ctrl-C under npm arrives twice at once, from the terminal and from npm: that is one wish. */
const SAME_WISH = process.env.npm_lifecycle_event === undefined ? 0 : 100;
let askedAt = Number.NEGATIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (performance.now() - askedAt < SAME_WISH) return;
    askedAt = performance.now();
    if (!stopping) console.log('\nStopping…');
    void stop(0);
  });
}
// A closed terminal takes the output away before it sends its signal.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

/** Shows one line for a step: what it is while it runs, then what came of it and how long it took. */
async function stage<T>(
  name: string,
  work: () => Promise<T>,
  result: (value: T) => string = () => '',
): Promise<T> {
  if (terminal) process.stdout.write(`  ${name} …`);
  const start = performance.now();
  const value = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(
    `${terminal ? '\r\x1b[K' : ''}  ${name}: ${result(value) || 'ready'} (${seconds} s)\n`,
  );
  return value;
}

async function postgresPrograms(): Promise<string> {
  const { ok, output } = await ensurePostgres();
  const folder = findPostgres();
  if (!ok || !folder) throw new Error(output);
  return folder;
}

async function startServices(database: string): Promise<Record<string, string>> {
  const started = services.map(async ({ name, program, port, version }) => {
    const file = join(import.meta.dirname, 'services', program);
    const flags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=96'];
    const child = children.start(name, process.execPath, [...flags, file], {
      env: { DATABASE_URL: database, VERSION: version, PORT: '0' },
    });
    const [, chosen = ''] = await child.says(/listens on (\d+)\n/);
    return [port, chosen];
  });
  return Object.fromEntries(await Promise.all(started));
}

interface AuthServer {
  port: string;
  /** A token for each user, ready to be used. */
  tokens: Record<string, string>;
}

async function startAuthServer(database: string): Promise<AuthServer> {
  const file = join(import.meta.dirname, 'services', 'auth.ts');
  const flags = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=96'];
  const child = children.start('the auth server', process.execPath, [...flags, file], {
    env: { DATABASE_URL: database, PORT: '0' },
  });
  const [, tokens = '{}', port = ''] = await child.says(/tokens (\{.*\})\nauth listens on (\d+)\n/);
  return { port, tokens: JSON.parse(tokens) as Record<string, string> };
}

async function startGateway({ port, admin }: Options, servicePorts: Record<string, string>): Promise<void> {
  const gateway = children.start('the gateway', join(root, 'bin/tidegate'), ['run', 'demo/tidegate.yaml'], {
    cwd: root,
    env: { ...servicePorts, GATEWAY_PORT: String(port), GATEWAY_ADMIN: String(admin) },
  });
  let ended = false;
  gateway.process.once('exit', () => {
    ended = true;
  });
  while (!ended && !(await answers(`http://127.0.0.1:${admin}/readyz`))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (ended) throw new Error('the gateway did not start');
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

async function start(): Promise<void> {
  const asked = readOptions(process.argv.slice(2), process.env);
  if (!asked) return console.log(usage);
  const options = { port: await claimable(asked.port), admin: await claimable(asked.admin) };

  console.log(bold('\nTidegate demo: a small furniture shop behind a gateway\n'));
  const programs = await postgresPrograms();
  const database = await stage(
    'PostgreSQL',
    () => startPostgres(programs, children),
    ({ version }) => version,
  );
  const redis = await stage(
    'Redis',
    () => findOrStartRedis(children),
    (found) => found?.what ?? 'none on this machine; answers are kept in memory alone',
  );
  await stage(
    'Shop',
    () => seed(database.url),
    ({ products, customers, orders }) => `${products} products, ${customers} customers, ${orders} orders`,
  );
  const [ports, auth] = await stage(
    'Services',
    () => Promise.all([startServices(database.url), startAuthServer(database.url)]),
    () => 'catalogue, discount, ordering, and an auth server with two users',
  );
  await stage(
    'Gateway',
    () =>
      startGateway(options, {
        ...ports,
        AUTH_PORT: auth.port,
        DATABASE_URL: database.url,
        REDIS_URL: redis?.url ?? 'none',
        // Of this run alone: another one has another database.
        CACHE_PREFIX: `tidegate-demo-${options.port}-${process.pid}`,
      }),
    () => `http://127.0.0.1:${options.port}, admin on http://127.0.0.1:${options.admin}`,
  );
  if (stopping) return;
  console.log(guide({ ...options, tokens: auth.tokens, auth: auth.port, database: database.url }, cyan));
  void watchChanges(`http://127.0.0.1:${options.admin}`, (line) => console.log(line), watching.signal);
}

start().catch((error: unknown) => {
  if (stopping) return;
  if (error instanceof PortTaken) {
    console.error(
      `${error.message} Choose another: PORT=9090 npm start, or npm start -- --port 9090 --admin 9902`,
    );
  } else if (error instanceof UsageError) console.error(`${error.message}\n\n${usage}`);
  else console.error(error instanceof Error ? error.message : error);
  void stop(1);
});
