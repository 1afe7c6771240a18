import { nearest } from '../../util/suggest.ts';
import { listenersOf } from '../normalise/index.ts';
import { type ConfigInput, hintFor, kindOf, type RouteInput, type ServiceInput } from '../schema/index.ts';
import { askedBy } from './asked-by-calls.ts';
import type { Findings, Path } from './findings.ts';
import { statusActionsOf } from './status-actions.ts';

/** Names that stand for something that is defined elsewhere in the config. */
export function checkReferences(input: ConfigInput, raw: ConfigInput, findings: Findings): void {
  if (isMisnamed(raw)) return;
  const services = new Set(serviceNames(raw));
  const listeners = new Set(listenersOf(input.listen).map((listener) => listener.name));
  const routes = new Set(Object.keys(input.routes ?? {}));
  for (const { service, path } of servicesOf(input.defaults ?? {}, ['defaults'])) {
    if (!services.has(service)) unknown('service', service, services, path, findings);
  }
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    for (const { service, path } of servicesOf(route, ['routes', name])) {
      if (!services.has(service)) unknown('service', service, services, path, findings);
    }
    for (const { name: asked, path } of askedBy(route.aggregate, ['routes', name]).filter(isRoute)) {
      if (!routes.has(asked)) unknown('route', asked, routes, path, findings);
    }
    for (const { listener, path } of listenersAskedFor(route, ['routes', name])) {
      if (!listeners.has(listener)) unknown('listener', listener, listeners, path, findings);
    }
  }
}

/** Services that no route leads to; of a config in which nothing is wrong, or what follows from that would be told. */
export function checkUnused(input: ConfigInput, findings: Findings): void {
  const routes = Object.entries(input.routes ?? {});
  const used = new Set(
    [...routes, ['defaults', input.defaults ?? {}] as [string, Named]].flatMap(([name, route]) =>
      servicesOf(route, ['routes', name]).map(({ service }) => service),
    ),
  );
  for (const name of serviceNames(input)) {
    if (used.has(name)) continue;
    const message = `no route leads to the service "${name}"`;
    findings.warning('TG_CONFIG_UNUSED', ['services', name], message, undefined, { atKey: true });
  }
}

/** Only what can be shed can be shed last. */
export function checkPriorities({ overload, routes, defaults }: ConfigInput, findings: Findings): void {
  if (overload !== undefined) return;
  const places: [Path, { priority?: unknown }][] = [
    [['defaults'], defaults ?? {}],
    ...Object.entries(routes ?? {}).map(([name, route]): [Path, object] => [['routes', name], route]),
  ];
  for (const [path, { priority }] of places) {
    if (priority === undefined || priority === 'none') continue;
    const advice = 'say when requests are shed: overload: { maxDelay: 100ms }, or leave the priority out';
    findings.warning(
      'TG_CONFIG_UNUSED',
      [...path, 'priority'],
      'without "overload" a priority does nothing',
      advice,
      {
        atKey: true,
      },
    );
  }
}

/** How a service is asked, which is nothing to say of a route that asks none. */
const ASKING = ['timeout', 'retries', 'host', 'request'] as const;

/** What a route says of services, though the gateway answers itself: nothing comes of it. */
export function checkIdleRouteKeys({ routes, defaults = {} }: ConfigInput, findings: Findings): void {
  for (const [name, route] of Object.entries(routes ?? {})) {
    const own = route.respond === undefined ? 'redirect' : 'respond';
    if (route[own] === undefined) continue;
    const { mirror = defaults.mirror, onStatus = defaults.onStatus } = route;
    if (servicesOf({ mirror, onStatus }, []).length > 0) continue;
    for (const key of ASKING) {
      if (route[key] === undefined || route[key] === 'none') continue;
      const message = `this route asks no service, so "${key}" does nothing`;
      findings.warning('TG_CONFIG_UNUSED', ['routes', name, key], message, 'remove it', {
        atKey: true,
        also: { path: ['routes', name, own], atKey: true },
      });
    }
  }
}

/** What is said of services and does nothing beside the rest. */
export function checkIdleKeys({ services }: ConfigInput, findings: Findings): void {
  const idle = (path: Path, message: string, advice: string) =>
    findings.warning('TG_CONFIG_UNUSED', ['services', ...path], message, advice, { atKey: true });
  for (const [name, service] of Object.entries(services ?? {})) {
    const { breaker, tls } = service;
    if (breaker?.openFor !== undefined && breaker.errors === undefined && breaker.errorRate === undefined) {
      const message = 'nothing opens this breaker, so "openFor" does nothing';
      idle([name, 'breaker', 'openFor'], message, 'say errorRate: 50%, or errors: 5/30s');
    }
    if (tls !== undefined && !isSpokenToOverTls(service)) {
      const advice = 'write https:// in its url (scheme: https beside discover), or leave tls out';
      idle([name, 'tls'], 'this service is spoken to without TLS', advice);
    }
  }
}

function isSpokenToOverTls({ url, targets, discover }: ServiceInput): boolean {
  const urls = [url, ...(targets ?? [])].map((target) => (typeof target === 'object' ? target.url : target));
  return [discover?.scheme, ...urls].some((text) => /^(?:https|h2)(?::|$)/i.test(text ?? ''));
}

function serviceNames(input: ConfigInput): string[] {
  return Object.keys(kindOf(input.services) === 'object' ? input.services! : {});
}

/** `servics:` is told already; that the services in it are missing is no news. */
function isMisnamed(raw: ConfigInput): boolean {
  if (raw.services !== undefined) return false;
  return Object.keys(raw).some(
    (key) => nearest(key, ['services']) !== null || hintFor('Config', key)?.includes('services'),
  );
}

function unknown(
  kind: string,
  name: string,
  known: ReadonlySet<string>,
  path: Path,
  findings: Findings,
): void {
  const meant = nearest(name, known);
  const all =
    known.size === 0
      ? `there are no ${kind}s: define it`
      : `there are: ${[...known].slice(0, 10).join(', ')}${known.size > 10 ? ', …' : ''}`;
  const advice = meant === null ? all : `did you mean "${meant}"?`;
  findings.error('TG_CONFIG_REFERENCE', path, `there is no ${kind} named "${name}"`, advice);
}

const isRoute = ({ kind }: { kind: string }): boolean => kind === 'route';

type Named = Pick<RouteInput, 'to' | 'mirror' | 'onStatus'> & { aggregate?: RouteInput['aggregate'] };

/** Every service that a route names, or that `defaults` name. */
function servicesOf(route: Named, path: Path): { service: string; path: Path }[] {
  const named = namedBy(route.to, path);
  const { mirror } = route;
  if (typeof mirror === 'object' && mirror.to !== undefined)
    named.push(...namedBy(mirror.to, [...path, 'mirror']));
  for (const { action, path: at } of statusActionsOf(route.onStatus, [...path, 'onStatus']))
    named.push(...namedBy(action.to, at));
  for (const { kind, name, path: at } of askedBy(route.aggregate, path))
    if (kind === 'service') named.push({ service: name, path: at });
  return named;
}

function namedBy(to: RouteInput['to'], path: Path): { service: string; path: Path }[] {
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
