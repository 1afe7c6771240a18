import { type Place, placesOf, toldByKey } from '../../auth/index.ts';
import { routeCacheOf } from '../normalise/index.ts';
import type { ConfigInput, ProviderInput, RouteInput } from '../schema/index.ts';
import { isSamePlace, readPlacesOf } from './credential-places.ts';
import type { Findings, Path } from './findings.ts';
import { authOf, isGuarded } from './whose-answer.ts';

type Call = NonNullable<RouteInput['aggregate']>['calls'][string];
type Cache = NonNullable<RouteInput['cache']>;

/** A call of an aggregate to another route, and what of the request it makes its headers and path are. */
interface AskedRoute {
  readonly name: string;
  readonly path: Path;
  /** The calls that lead there, the outermost first. */
  readonly way: readonly Call[];
}

/**
 * A kept aggregate shows the routes that it asks no more of who asks than its key names: a guarded one that finds no
 * credential in that refuses each call. Of a config in which nothing is wrong.
 */
export function checkRefusedCalls(input: ConfigInput, findings: Findings): void {
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const cache = route.cache ?? input.defaults?.cache;
    if (route.aggregate === undefined || cache === undefined || !keepsAll(route, cache)) continue;
    const shown = shownBy(route, cache, input);
    for (const asked of routesBehind(route, ['routes', name], [], input)) {
      if (mayBeLetIn(asked, shown, input)) continue;
      findings.warning(
        'TG_CONFIG_AUTH',
        asked.path,
        `the route "${asked.name}" is guarded, and refuses this call: the aggregate "${name}" is kept, and shows it nothing of who asks that its key does not name`,
        `keep the aggregate for the subject that "${asked.name}" knows (private: true, or vary: auth.subject), keep the answers of "${asked.name}" in its place, or give the call a credential in its headers`,
        {
          also: {
            path: route.cache === undefined ? ['defaults', 'cache'] : ['routes', name, 'cache'],
            atKey: true,
          },
        },
      );
    }
  }
}

/** Is whatever it may answer kept? Other methods are asked for their client alone. */
function keepsAll({ match }: RouteInput, cache: Cache): boolean {
  const kept = routeCacheOf(cache);
  if (kept === null) return false;
  const said = typeof match === 'object' && 'method' in match ? match.method : undefined;
  const methods = said === undefined ? ['GET', 'HEAD'] : [said].flat().map(String);
  return methods.every((method) => kept.policy.methods.includes(method));
}

/** Where something may stand that is shown to whom it asks. */
function shownBy(route: RouteInput, cache: Cache, input: ConfigInput): readonly Place[] {
  const kept = routeCacheOf(cache)!;
  if (toldByKey(kept).subject) return providersOf(route, input).flatMap(readPlacesOf);
  // What Authorization was shown for is passed on, and not kept (RFC 9111 §3.5).
  return kept.policy.owner === 'none' ? placesOf({ kind: 'jwt', from: null }) : [];
}

/** The guarded routes that an aggregate asks, and those that they ask in turn. */
function routesBehind(
  { aggregate }: RouteInput,
  at: Path,
  way: readonly Call[],
  input: ConfigInput,
): readonly AskedRoute[] {
  return Object.entries(aggregate?.calls ?? {}).flatMap(([call, config]) => {
    const asked = config.route === undefined ? undefined : input.routes?.[config.route];
    if (asked === undefined) return [];
    const path = way.length === 0 ? [...at, 'aggregate', 'calls', call, 'route'] : at;
    const here = { name: config.route!, path, way: [...way, config] };
    const auth = authOf(asked, input);
    const needsOne = isGuarded(auth) && String((auth as { optional?: unknown }).optional) !== 'true';
    return needsOne ? [here] : routesBehind(asked, path, here.way, input);
  });
}

/** By what it is shown, by what the calls say themselves, or by what is not known here. */
function mayBeLetIn({ name, way }: AskedRoute, shown: readonly Place[], input: ConfigInput): boolean {
  return providersOf(input.routes![name]!, input).some((provider) => {
    // It is asked about requests without a credential, too.
    if (provider.forward !== undefined && provider.forward.from === undefined) return true;
    return readPlacesOf(provider).some(
      (place) => shown.some((one) => isSamePlace(one, place)) || way.some((call) => says(call, place)),
    );
  });
}

function says({ headers = {}, path }: Call, place: Place): boolean {
  if (place.in === 'query') return typeof path !== 'string' || path.includes('?');
  const name = place.in === 'cookie' ? 'cookie' : place.name;
  return place.in !== 'connection' && Object.keys(headers).some((one) => one.toLowerCase() === name);
}

function providersOf(route: RouteInput, input: ConfigInput): readonly ProviderInput[] {
  const auth = authOf(route, input);
  if (!isGuarded(auth)) return [];
  const names = [(auth as { with: string | string[] }).with].flat();
  return names.flatMap((name) => input.auth?.[name] ?? []);
}
