import { cacheOf, routeCacheOf } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import { askedBy } from './asked-by-calls.ts';
import type { Findings, Path } from './findings.ts';
import { authOf, isGuarded } from './whose-answer.ts';

/** What is filled again in the background is asked for later, and without its client: some can't be asked for so. */
export function checkRefreshed(input: ConfigInput, findings: Findings): void {
  warnWithoutMemory(input, findings);
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const path: Path = ['routes', name];
    checkCalls(route, path, input, findings);
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

/** A call of a guarded route that does not say whose its answers are has who asks in its key. */
function checkCalls(route: RouteInput, path: Path, input: ConfigInput, findings: Findings): void {
  if (typeof route.aggregate?.calls !== 'object' || !isGuarded(authOf(route, input))) return;
  for (const [name, call] of Object.entries(route.aggregate.calls)) {
    if (!isRefreshed(call?.cache) || routeCacheOf(call?.cache)!.policy.owner !== 'none') continue;
    const cache = [...path, 'aggregate', 'calls', name, 'cache'];
    findings.error(
      'TG_CONFIG_CONFLICT',
      [...cache, 'refresh'],
      '"refresh" asks in nobody\'s name, and each answer of this call is kept for who has asked',
      'say shared: true or vary: auth.permissions beside it, or remove it',
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
