import type { RouteConfig } from '../config/model.ts';
import { requestScope, responseScope, routeScope, type Scope } from '../expression/index.ts';
import { pathParameters } from '../router/index.ts';

/** The variables of a route's expressions, its path parameters among them. */
export interface Scopes {
  readonly request: Scope;
  readonly response: Scope;
}

export function scopesOf(route: RouteConfig): Scopes {
  const parameters = pathParameters(route.match);
  if (parameters === null) throw new RangeError(`a path of route ${route.name} can't be read`);
  const { names, rest } = parameters;
  return { request: routeScope(requestScope, names, rest), response: routeScope(responseScope, names, rest) };
}
