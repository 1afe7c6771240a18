import { createHash } from 'node:crypto';
import type { ActionConfig, GatewayConfig, RouteConfig } from '../config/model.ts';
import { servicesOf } from './services-of.ts';

/**
 * What an entry was made under: one that was stored before the route asked for something else, or filed it
 * otherwise, is no answer of the route any more; nor is one that another mapping of changes was to keep right.
 *
 * @param mapping Stamp of how changes are mapped to tags.
 */
export function fingerprint(route: RouteConfig, config: GatewayConfig, mapping: string): string {
  const asked = withCalled(route, config).map((one) => questionOf(one, config));
  const text = JSON.stringify([asked, mapping], (_key, value: unknown) =>
    typeof value === 'function' ? String(value) : value instanceof Set ? [...value] : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}

/** The route, and those that its calls ask, theirs too. */
function withCalled(route: RouteConfig, { routes }: GatewayConfig): RouteConfig[] {
  const found = new Set([route]);
  // A set that grows while it is walked is walked to its end.
  for (const { action } of found) for (const name of routesOf(action)) found.add(routes[name]!);
  return [...found];
}

function routesOf(action: ActionConfig): string[] {
  if (action.kind !== 'aggregate') return [];
  return action.aggregate.calls.flatMap(({ to }) => (to.kind === 'route' ? [to.route] : []));
}

/** All by which services are asked, and by which their answers are kept. */
function questionOf({ cache, action, request, host }: RouteConfig, { services }: GatewayConfig): unknown {
  // Comparing what is kept, and filling it again, changes nothing of it.
  const kept = cache === null ? null : { ...cache, audit: undefined, refresh: undefined };
  const made = servicesOf(action).map((name) => [services[name]!.request, services[name]!.host]);
  return [kept, withoutShares(action), request, host, made];
}

/** How many ask which side changes nothing of what each of them answers. */
function withoutShares(action: ActionConfig): unknown {
  if (action.kind !== 'proxy') return action;
  return action.to.map(({ weight: _, ...side }) => side);
}
