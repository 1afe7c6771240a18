import { nearest } from '../../util/suggest.ts';
import { listenersOf } from '../normalise/index.ts';
import { type ConfigInput, kindOf, NAME, type RouteInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

/** Names that stand for something that is defined elsewhere in the config. */
export function checkReferences(input: ConfigInput, raw: ConfigInput, findings: Findings): void {
  if (isMisnamed(raw)) return;
  const services = Object.keys(kindOf(raw.services) === 'object' ? raw.services! : {});
  const listeners = listenersOf(input.listen).map((listener) => listener.name);
  const used = new Set<string>();
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    for (const { service, path } of servicesOf(route, ['routes', name])) {
      used.add(service);
      if (services.includes(service)) continue;
      // Whatever was meant is not also unused.
      const meant = unknown('service', service, services, path, findings);
      if (meant !== null) used.add(meant);
    }
    for (const { listener, path } of listenersAskedFor(route, ['routes', name])) {
      if (!listeners.includes(listener)) unknown('listener', listener, listeners, path, findings);
    }
  }
  for (const name of services) {
    if (used.has(name) || !NAME.test(name)) continue;
    findings.warning(
      'TG_CONFIG_UNUSED',
      ['services', name],
      `no route leads to the service "${name}"`,
      undefined,
      { atKey: true },
    );
  }
}

/** `servics:` is told already; that the services in it are missing is no news. */
function isMisnamed(raw: ConfigInput): boolean {
  return raw.services === undefined && Object.keys(raw).some((key) => nearest(key, ['services']) !== null);
}

function unknown(
  kind: string,
  name: string,
  known: readonly string[],
  path: Path,
  findings: Findings,
): string | null {
  const meant = nearest(name, known);
  const all =
    known.length === 0
      ? `there are no ${kind}s: define it`
      : `there are: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}`;
  const advice = meant === null ? all : `did you mean "${meant}"?`;
  findings.error('TG_CONFIG_REFERENCE', path, `there is no ${kind} named "${name}"`, advice);
  return meant;
}

function servicesOf(route: RouteInput, path: Path): { service: string; path: Path }[] {
  const { to } = route;
  if (to === undefined) return [];
  const entries = Array.isArray(to)
    ? to.map((entry, index) => ({ entry, at: [...path, 'to', index] }))
    : [{ entry: to, at: [...path, 'to'] }];
  return entries.flatMap(({ entry, at }) => {
    if (typeof entry === 'string') return [{ service: entry, path: at }];
    return entry?.service === undefined ? [] : [{ service: entry.service, path: [...at, 'service'] }];
  });
}

function listenersAskedFor(route: RouteInput, path: Path): { listener: string; path: Path }[] {
  const { match } = route;
  if (match === undefined || typeof match === 'string' || match.listener === undefined) return [];
  const at: Path = [...path, 'match', 'listener'];
  if (!Array.isArray(match.listener)) return [{ listener: match.listener as string, path: at }];
  return match.listener
    .map((listener, index) => ({ listener, path: [...at, index] }))
    .filter(({ listener }) => listener !== undefined);
}
