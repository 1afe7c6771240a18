import { isIP } from 'node:net';
import type { ExplainedAuth } from '../auth/index.ts';
import { isToken } from '../http/headers.ts';
import { BadRequest, type Destination, type Explained, explainRequest, splitUrl } from '../snapshot/index.ts';
import { configFile } from './config-file.ts';
import { loadOrReport, printJson } from './output.ts';
import { planLines } from './plan.ts';
import { EXIT, UsageError } from './usage.ts';

export interface ExplainOptions {
  /** `name: value` each. */
  headers: readonly string[];
  ip: string;
  listener?: string;
  json?: boolean;
}

/**
 * `tidegate explain`: which route takes a request, and why the others do not. Gives the exit code. Without a
 * file it is the one of this folder.
 */
export async function explain(
  file: string | undefined,
  method: string,
  url: string,
  options: ExplainOptions,
): Promise<number> {
  if (!isToken(method)) throw new UsageError(`"${method}" is not a method; write for example GET`);
  orUsageError(() => splitUrl(url));
  if (isIP(options.ip) === 0) throw new UsageError(`"${options.ip}" is not an IP address`);
  const headers = options.headers.flatMap(headerOf);
  const config = await loadOrReport(configFile(file));
  if (config === null) return EXIT.input;
  const { ip, listener } = options;
  const explained = orUsageError(() =>
    explainRequest(config, {
      method,
      url,
      headers,
      ip,
      ...(listener === undefined ? {} : { listener }),
    }),
  );
  if (options.json) printJson(explained);
  else process.stdout.write(textOf(explained));
  return EXIT.ok;
}

/** What is asked for makes no sense: that is how the command was called. */
function orUsageError<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BadRequest) throw new UsageError(error.message);
    throw error;
  }
}

function headerOf(text: string): [string, string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).trim();
  if (colon < 0 || !isToken(name)) throw new UsageError(`"${text}" is not a header; write 'name: value'`);
  return [name, text.slice(colon + 1).trim()];
}

function textOf(explained: Explained): string {
  const lines = explained.route === null ? refused(explained) : taken(explained);
  if (explained.rejected.length > 0) lines.push('', 'Not these:', ...rejected(explained));
  return `${lines.join('\n')}\n`;
}

function refused({ status, why }: Explained): string[] {
  return [`No route takes it: ${status}`, ...(why === null ? [] : [`  ${why}`])];
}

function taken(explained: Explained): string[] {
  const { route, status, params, destinations, auth, location, why } = explained;
  const lines = [`Route ${route} takes it.`];
  for (const [name, value] of Object.entries(params))
    lines.push(`  params.${name} = ${JSON.stringify(value)}`);
  if (auth !== null) lines.push(...guarded(auth));
  lines.push(...explained.limits.map(limited));
  if (explained.cache !== null && auth?.status == null) lines.push(...cached(explained.cache));
  if (auth?.status != null) lines.push('  else:');
  if (why !== null) lines.push(`  ${status}: ${why}`);
  else if (location !== null)
    lines.push(
      auth?.status == null ? `  redirects with ${status} to ${location}` : `  redirects to ${location}`,
    );
  else if (status !== null && auth?.status == null) lines.push(`  answers ${status} itself`);
  if (explained.plan !== null) lines.push(...planLines(explained.plan));
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  for (const destination of destinations) {
    const { service, weight, method } = destination;
    const share = destinations.length > 1 ? ` (${Math.round((weight * 100) / total)}%)` : '';
    lines.push(`  to ${service}${share}: ${method} ${places(destination)}`);
    lines.push(`    ${trying(destination)}`);
  }
  return lines;
}

function guarded({ with: providers, provider, place, says, asks }: ExplainedAuth): string[] {
  const who = provider === null ? providers.join(', ') || 'none' : `${provider} (${place ?? 'twice'})`;
  return [`  auth ${who}: ${says}`, ...(asks.length === 0 ? [] : [`    asks for ${asks.join('; ')}`])];
}

function limited({ name, key, report, says }: Explained['limits'][number]): string {
  return `  limit ${name}: ${says}${key === null ? '' : `, counted by ${key}`}${report ? ' (on trial)' : ''}`;
}

function cached({ says, key, whose, fresh, tags, refreshed }: NonNullable<Explained['cache']>): string[] {
  if (key.length === 0) return [`  cache: ${says}`];
  const told =
    tags === null
      ? 'tags that can not be told'
      : tags.length === 0
        ? 'no tags yet'
        : `tags ${tags.join(', ')}`;
  const for_ = whose === 'unsaid' ? 'for all who show nothing of themselves' : `for ${whose}`;
  return [
    `  cache: ${says}`,
    `    by ${key.join(', ')}`,
    `    ${for_}; fresh for ${fresh}; ${told}`,
    ...(refreshed ? ['    asked for often, it is filled again once a change has unseated it'] : []),
  ];
}

function places({ urls, weights }: Destination): string {
  const alike = weights.every((weight) => weight === weights[0]);
  return urls.map((url, index) => (alike ? url : `${url} (weight ${weights[index]})`)).join(' or ');
}

function trying({ urls, balance, retries, on }: Destination): string {
  const again =
    retries === 0
      ? 'tried once'
      : `tried again at most ${retries === 1 ? 'once' : `${retries} times`} on ${on.join(', ')}`;
  return urls.length > 1 ? `balanced by ${balance}, ${again}` : again;
}

function rejected({ rejected }: Explained): string[] {
  const width = Math.max(...rejected.map(({ route }) => route.length));
  return rejected.map(({ route, why }) => `  ${route.padEnd(width)}  ${why}`);
}
