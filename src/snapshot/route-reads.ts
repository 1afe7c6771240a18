import { guardReads } from '../auth/index.ts';
import type { GatewayConfig, RouteConfig } from '../config/model.ts';
import type { Looks } from '../expression/index.ts';
import { aggregateReads, expressionReads, templatesRead } from './mentions.ts';
import type { Scopes } from './scopes.ts';
import { servicesOf } from './services-of.ts';
import { errorScopeOf } from './variables.ts';

/** Does anything that a route says, or a service of it, look at what is looked for? */
export function routeReads(config: GatewayConfig, route: RouteConfig, scopes: Scopes, looks: Looks): boolean {
  const { action } = route;
  if (action.kind === 'aggregate' && aggregateReads(action.aggregate, scopes.request, looks)) return true;
  const services = servicesOf(action).map((name) => config.services[name]!);
  const texts = [
    action,
    route.host,
    route.request,
    route.response,
    route.answers,
    route.mirror,
    route.cache?.tags,
    route.limits.map(({ rate }) => rate),
    ...services.flatMap((s) => [s.host, s.request, s.response]),
  ];
  const expressions = [
    ...route.limits.map(({ per }) => per),
    route.cache?.vary ?? null,
    ...services.map(({ balance }) => (balance.kind === 'hash' ? balance.key : null)),
    route.match.when,
  ];
  return (
    guardReads(route.auth, scopes.request, looks) ||
    expressions.some((source) => expressionReads(source, scopes.request, looks)) ||
    expressionReads(route.cache?.store ?? null, scopes.response, looks) ||
    expressionReads(route.answers.errors?.body ?? null, errorScopeOf(scopes.request), looks) ||
    texts.some((part) => templatesRead(part, scopes.response, looks))
  );
}
