import { cacheOf } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import { askedBy } from './asked-by-calls.ts';
import type { Findings, Path } from './findings.ts';
import { authOf, isGuarded } from './whose-answer.ts';

/** What is filled again in the background is asked for later, and without its client: some can't be asked for so. */
export function checkRefreshed(input: ConfigInput, findings: Findings): void {
  warnWithoutMemory(input, findings);
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const path: Path = ['routes', name];
    checkCalls(route, path, findings);
    const refresh = refreshOf(route, path, input);
    if (refresh === null) continue;
    checkToken(route, path, refresh, input, findings);
    checkGuardedCalls(route, path, refresh, input, findings);
  }
}

/** Where a route is told to refresh; null: it is not. */
function refreshOf(route: RouteInput, path: Path, { defaults }: ConfigInput): Path | null {
  const own = route.cache !== undefined;
  if (!isRefreshed(own ? route.cache : defaults?.cache)) return null;
  return [...(own ? path : ['defaults']), 'cache', 'refresh'];
}

function isRefreshed(cache: RouteInput['cache']): boolean {
  return typeof cache === 'object' && String(cache.refresh) === 'true';
}

function warnWithoutMemory(input: ConfigInput, findings: Findings): void {
  const memory = input.cache?.memory;
  if (memory === undefined || cacheOf({ memory }, String).memory > 0) return;
  const found = Object.entries(input.routes ?? {})
    .map(([name, route]) => refreshOf(route, ['routes', name], input))
    .find((path) => path !== null);
  if (found === undefined) return;
  findings.warning(
    'TG_CONFIG_VALUE',
    [...found],
    'nothing is refreshed: what is asked for often is known of entries in memory, and there are none',
    'give cache.memory a size, or remove it here',
    { atKey: true, also: { path: ['cache', 'memory'] } },
  );
}

/** A call is asked with the item and the results of one run, which are gone by then. */
function checkCalls({ aggregate }: RouteInput, path: Path, findings: Findings): void {
  if (typeof aggregate?.calls !== 'object') return;
  for (const [name, call] of Object.entries(aggregate.calls)) {
    if (!isRefreshed(call?.cache)) continue;
    findings.error(
      'TG_CONFIG_CONFLICT',
      [...path, 'aggregate', 'calls', name, 'cache', 'refresh'],
      'a call can not be refreshed by itself: what it is asked with is known to one run of its aggregate alone',
      'say refresh in the cache of the route: its calls are asked with it',
      { atKey: true },
    );
  }
}

/** Nobody's token is shown again once its request is over. */
function checkToken(
  route: RouteInput,
  path: Path,
  refresh: Path,
  input: ConfigInput,
  findings: Findings,
): void {
  const auth = authOf(route, input);
  if (typeof auth !== 'object' || String((auth as { passToken?: unknown }).passToken) !== 'true') return;
  const at = 'auth' in route ? path : ['defaults'];
  findings.error(
    'TG_CONFIG_CONFLICT',
    [...refresh],
    `"refresh" asks without anybody's token, and "passToken" of the route "${path[1]}" sends it on`,
    'keep one of them',
    { atKey: true, also: { path: [...at, 'auth', 'passToken'], atKey: true } },
  );
}

function checkGuardedCalls(
  { aggregate }: RouteInput,
  path: Path,
  refresh: Path,
  input: ConfigInput,
  findings: Findings,
): void {
  for (const asked of askedBy(aggregate, path)) {
    const route = asked.kind === 'route' ? input.routes?.[asked.name] : undefined;
    if (route === undefined || !isGuarded(authOf(route, input))) continue;
    findings.error(
      'TG_CONFIG_CONFLICT',
      [...refresh],
      `"refresh" asks without anybody's credential, and the guarded route "${asked.name}" would refuse its call`,
      'remove it, or ask the service in place of the route',
      { atKey: true, also: { path: [...asked.path] } },
    );
  }
}
