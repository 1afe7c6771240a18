import type { AuthServerFinding } from '../auth/index.ts';
import { type GatewayConfig, issueData, type LoadedConfig, sortIssues } from '../config/index.ts';
import { formatSize } from '../util/size.ts';
import { usableCores } from '../workers/index.ts';
import {
  askAuthServers,
  type Connection,
  type InspectedSource,
  inspectSources,
  tryConnections,
} from './connect.ts';
import { counted, loadAside, printIssues, printJson } from './output.ts';
import { EXIT } from './usage.ts';

export interface CheckOptions {
  /** Warnings fail too. */
  strict?: boolean;
  json?: boolean;
  /** Also tries to connect to every target, and asks change sources and auth servers. */
  connect?: boolean;
}

/** What a check found. */
interface Findings {
  loaded: LoadedConfig;
  errors: number;
  warnings: number;
  /** Empty where nobody asked for them. */
  connections: Connection[];
  /** Change sources, asked the same way. */
  sources: InspectedSource[];
  authServers: AuthServerFinding[];
}

/** `tidegate check`: everything that is wrong with a config, at once. Gives the exit code. */
export async function check(file: string, options: CheckOptions): Promise<number> {
  const loaded = await loadAside(file);
  const issues = sortIssues(loaded.issues, loaded.source);
  const errors = issues.filter((issue) => issue.severity === 'error').length;
  const warnings = issues.length - errors;
  const asked = options.connect ? loaded.config : null;
  const connections = asked === null ? [] : await tryConnections(asked);
  const sources = asked === null ? [] : await inspectSources(asked);
  const authServers = asked === null ? [] : await askAuthServers(asked);
  const findings = { loaded, errors, warnings, connections, sources, authServers };
  const faults = faultsOf(findings, options);
  if (options.json) printData(findings, options, faults.length === 0);
  else await printText(findings, faults);
  return faults.length === 0 ? EXIT.ok : EXIT.input;
}

/** Why the check failed, in words; nothing where it did not. */
function faultsOf(
  { errors, warnings, connections, sources, authServers }: Findings,
  options: CheckOptions,
): string[] {
  const lost = connections.filter(({ error }) => error !== null).length;
  const unfollowed = sources.filter(({ error }) => error !== null).length;
  const useless = authServers.filter(({ error }) => error !== null).length;
  const advised = sources.reduce((sum, { advice }) => sum + advice.length, 0);
  return [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(options.strict && warnings > 0
      ? [`${counted(warnings, 'warning')}, which --strict does not allow`]
      : []),
    ...(lost > 0 ? [`${lost} of ${counted(connections.length, 'target')} cannot be reached`] : []),
    ...(unfollowed > 0
      ? [`${unfollowed} of ${counted(sources.length, 'change source')} cannot be followed`]
      : []),
    ...(useless > 0 ? [`${useless} of ${counted(authServers.length, 'auth server')} cannot be used`] : []),
    ...(options.strict && advised > 0
      ? [`${counted(advised, 'warning')}, which --strict does not allow`]
      : []),
  ];
}

function printData(findings: Findings, options: CheckOptions, ok: boolean): void {
  const { loaded, connections, sources, authServers } = findings;
  const issues = sortIssues(loaded.issues, loaded.source).map((issue) => issueData(issue, loaded.source));
  const memory = loaded.config === null ? null : cacheMemory(loaded.config);
  printJson({
    file: loaded.source.file,
    ok,
    errors: issues.filter((issue) => issue.severity === 'error'),
    warnings: issues.filter((issue) => issue.severity === 'warning'),
    open: loaded.config === null ? [] : openRoutes(loaded.config),
    ...(options.connect ? { connections, sources, authServers } : {}),
    ...(memory === null ? {} : { cacheMemory: memory }),
  });
}

async function printText(
  { loaded, warnings, connections, sources, authServers }: Findings,
  faults: string[],
): Promise<void> {
  await printIssues(loaded);
  for (const connection of connections) printConnection(connection);
  for (const source of sources) printSource(source);
  for (const server of authServers) printAuthServer(server);
  const { file } = loaded.source;
  if (loaded.config === null || faults.length > 0) {
    process.stderr.write(`${file}: ${faults.join(', ')}\n`);
    return;
  }
  const odd = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  process.stdout.write(`${file} is in order: ${outline(loaded.config)}${odd}\n`);
  const open = openRoutes(loaded.config);
  // Where nothing is guarded at all, that all is open is no news.
  if (open.length > 0 && Object.keys(loaded.config.auth).length > 0)
    process.stdout.write(`open to everyone: ${open.join(', ')}\n`);
  const memory = cacheMemory(loaded.config);
  if (memory !== null) process.stdout.write(`${cacheLine(memory)}\n`);
}

function outline(config: GatewayConfig): string {
  const services = Object.keys(config.services).length;
  return `${counted(services, 'service')}, ${counted(Object.keys(config.routes).length, 'route')}`;
}

/** Routes that ask nothing of whoever sends a request. */
function openRoutes(config: GatewayConfig): string[] {
  return Object.values(config.routes)
    .filter(({ auth }) => auth === null)
    .map(({ name }) => name);
}

/** What the caches of all workers take at most. Bytes. */
interface CacheMemory {
  perWorker: number;
  workers: number;
  total: number;
}

/** Null where nothing is cached. */
function cacheMemory({ routes, cache, workers: said }: GatewayConfig): CacheMemory | null {
  if (Object.values(routes).every((route) => route.cache === null)) return null;
  const workers = said === 'auto' ? usableCores() : said;
  return { perWorker: cache.memory, workers, total: cache.memory * workers };
}

function cacheLine({ perWorker, workers, total }: CacheMemory): string {
  if (total === 0) return 'the cache takes no memory: its entries are kept in Redis';
  const each = workers === 1 ? '1 worker' : `${workers} workers of ${formatSize(perWorker)} each`;
  return `the cache takes up to ${formatSize(total)} of memory: ${each}`;
}

function printConnection({ service, target, milliseconds, error }: Connection): void {
  const outcome = error ?? `accepts connections (${milliseconds} ms)`;
  (error === null ? process.stdout : process.stderr).write(`${service}: ${target} ${outcome}\n`);
}

function printAuthServer({ name, server, milliseconds, error }: AuthServerFinding): void {
  const outcome = error === null ? `answers (${milliseconds} ms)` : `cannot be used: ${error}`;
  (error === null ? process.stdout : process.stderr).write(`${name}: ${server} ${outcome}\n`);
}

function printSource({ source, error, advice }: InspectedSource): void {
  if (error === null) process.stdout.write(`${source}: can be followed\n`);
  else process.stderr.write(`${source}: ${error}\n`);
  for (const one of advice) process.stderr.write(`${source}: warning: ${one}\n`);
}
