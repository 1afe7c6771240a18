import type { RouteConfig } from '../config/model.ts';
import { describeMatch } from '../router/index.ts';
import { servicesOf } from './services-of.ts';

/** A route in words, for tables and the admin API. */
export interface RouteDescription {
  name: string;
  /** What it takes, as in `GET /orders/{id}, host shop.example.com`. */
  match: string;
  action: RouteConfig['action']['kind'];
  /** What it does, as in `to catalogue /p/{params.sku}`. */
  does: string;
  /** Services that it may ask, each once. */
  services: string[];
  /** Some provider, rule or permission stands before it. */
  guarded: boolean;
  /** Its answers may be kept. */
  cached: boolean;
}

export function describeRoute(route: RouteConfig): RouteDescription {
  return {
    name: route.name,
    match: describeMatch(route.match),
    action: route.action.kind,
    does: describeAction(route),
    services: [...new Set(servicesOf(route.action))],
    guarded: route.auth !== null,
    cached: route.cache !== null,
  };
}

function describeAction({ action }: RouteConfig): string {
  switch (action.kind) {
    case 'respond':
      return `answers ${action.respond.status}`;
    case 'redirect': {
      const { to, scheme, host, path, status } = action.redirect;
      const parts = Object.entries({ to, scheme, host, path }).filter(([, value]) => value !== null);
      const where = parts.map(([key, value]) => (key === 'to' ? textOf(value) : `${key} ${textOf(value)}`));
      return `redirects (${status}) to ${where.join(', ')}`;
    }
    case 'aggregate': {
      const { calls } = action.aggregate;
      const asked = calls.map(
        ({ name, to }) =>
          `${name} (${to.kind === 'route' ? `route ${to.route}` : to.services.map(({ service }) => service).join(' or ')})`,
      );
      return `aggregates ${asked.join(', ')}`;
    }
    case 'proxy':
      return `to ${action.to.map((to) => describeDestination(to, action.to.length > 1)).join(', ')}`;
  }
}

type Destination = Extract<RouteConfig['action'], { kind: 'proxy' }>['to'][number];

function describeDestination({ service, path, method, weight }: Destination, weighted: boolean): string {
  const target = path === null ? '' : ` ${textOf(path)}`;
  return `${weighted ? `${weight} × ` : ''}${method === null ? '' : `${method} `}${service}${target}`;
}

function textOf(template: unknown): string {
  return typeof template === 'string' ? template : '(a function)';
}
