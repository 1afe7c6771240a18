import type { Template } from '../model.ts';
import { mergeTransforms } from '../normalise/index.ts';
import type { ConfigInput, RouteInput, ServiceInput } from '../schema/index.ts';
import type { Path } from './findings.ts';

/** A template that makes part of the request which a service gets. */
export interface Shaping {
  readonly template: Template;
  readonly kind: 'path' | 'template';
  readonly path: Path;
}

/** All that shapes the requests of a route: paths, hosts and headers of its own, its services' and of `defaults`. */
export function shapingOf(name: string, route: RouteInput, input: ConfigInput): Shaping[] {
  const at: Path = ['routes', name];
  const services = [...new Set(destinationsOf(route).map(({ service }) => service))];
  return [
    ...pathsOf(route, at),
    ...(route.host === undefined
      ? hostOf(input.defaults?.host, ['defaults', 'host'])
      : hostOf(route.host, [...at, 'host'])),
    ...headersOf(route, at, input.defaults),
    ...services.flatMap((service) => shapingByService(service, input.services?.[service])),
  ];
}

function shapingByService(name: string, service: ServiceInput | undefined): Shaping[] {
  const at: Path = ['services', name];
  return service === undefined ? [] : [...hostOf(service.host, [...at, 'host']), ...headersOf(service, at)];
}

function destinationsOf({ to }: RouteInput): { service: string; path?: Template | undefined; at: Path }[] {
  const entries = Array.isArray(to) ? to : [to];
  return entries.flatMap((entry, index) => {
    const at: Path = Array.isArray(to) ? ['to', index] : ['to'];
    if (entry === undefined) return [];
    return typeof entry === 'string' ? [{ service: entry, at }] : [{ ...entry, at }];
  });
}

function pathsOf(route: RouteInput, at: Path): Shaping[] {
  return destinationsOf(route).flatMap(({ path, at: place }) =>
    path === undefined ? [] : [{ template: path, kind: 'path' as const, path: [...at, ...place, 'path'] }],
  );
}

function hostOf(host: Template | undefined, path: Path): Shaping[] {
  return host === undefined ? [] : [{ template: host, kind: 'template', path }];
}

/** A route's header replaces that of `defaults` of the same name. */
function headersOf(
  owner: Pick<RouteInput, 'request'>,
  at: Path,
  defaults: ConfigInput['defaults'] = {},
): Shaping[] {
  const { headers } = mergeTransforms(defaults.request, owner.request);
  return (['set', 'add', 'default'] as const).flatMap((kind) =>
    Object.entries(headers[kind]).flatMap(([header, value]) => {
      const own = valuesOf(owner.request, kind)[header] !== undefined;
      const path = [...(own ? at : ['defaults']), 'request', 'headers', kind, header];
      const templates = Array.isArray(value) ? value : [value];
      return templates.map((template) => ({ template, kind: 'template' as const, path }));
    }),
  );
}

function valuesOf(request: RouteInput['request'], kind: 'set' | 'add' | 'default'): Record<string, unknown> {
  if (typeof request !== 'object' || typeof request.headers !== 'object') return {};
  const values = request.headers[kind];
  return typeof values === 'object' ? values : {};
}
