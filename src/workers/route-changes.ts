import type { RouteChanges } from './admin-contract.ts';
import type { ConfigReading } from './config-reading.ts';

/** What changes about routes, as they are shown. */
export function routeChanges(from: ConfigReading, to: ConfigReading): RouteChanges {
  const [old, fresh] = [routesOf(from), routesOf(to)];
  return {
    added: Object.keys(fresh).filter((name) => !Object.hasOwn(old, name)),
    removed: Object.keys(old).filter((name) => !Object.hasOwn(fresh, name)),
    changed: Object.keys(fresh).filter(
      (name) => Object.hasOwn(old, name) && JSON.stringify(old[name]) !== JSON.stringify(fresh[name]),
    ),
  };
}

function routesOf({ shown }: ConfigReading): Readonly<Record<string, unknown>> {
  return (shown as { routes?: Record<string, unknown> }).routes ?? {};
}
