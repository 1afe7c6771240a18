import type { CompiledAuth } from '../auth/index.ts';
import type {
  DestinationConfig,
  Expression,
  GatewayConfig,
  HostConfig,
  RouteConfig,
} from '../config/model.ts';
import { compileExpression, EvaluationFailure, type Scope, toJson } from '../expression/index.ts';
import {
  Affinity,
  compileAuthority,
  compileDestination,
  compileQueryOnly,
  compileTransform,
  type Side,
} from '../pipeline/index.ts';
import type { Service } from '../upstream/index.ts';
import { DEFAULT_TIMEOUTS } from './default-timeouts.ts';
import type { Scopes } from './scopes.ts';

export interface SideParts {
  readonly config: GatewayConfig;
  readonly services: ReadonlyMap<string, Service>;
  readonly auth: CompiledAuth;
  /** Signs the cookies that keep a client where it was. */
  readonly affinityKey: () => string;
  /** Cookies that the gateway gives out: a client brings them to every route, and no service is to see them. */
  readonly ownCookies: readonly string[];
}

/** How a service is asked for a route, and what becomes of its answers. */
export function compileSide(
  parts: SideParts,
  route: RouteConfig,
  to: DestinationConfig,
  scopes: Scopes,
): Side {
  const config = parts.config.services[to.service]!;
  const service = parts.services.get(to.service)!;
  const { balance } = config;
  return {
    service,
    destination: compileDestination(to, scopes.request, compileQueryOnly(config.request, route.request)),
    method: to.method,
    host: compileHost(route.host ?? config.host, scopes.request),
    timeouts: { ...DEFAULT_TIMEOUTS, ...config.timeout, ...route.timeout },
    retries: route.retries ?? config.retries,
    balanceKey: balance.kind === 'hash' ? compileKey(balance.key, scopes.request) : null,
    affinity:
      balance.kind === 'cookie'
        ? new Affinity(
            balance.name,
            parts.affinityKey,
            `service ${config.name}`,
            () => service.targets.map((target) => target.name),
            null,
          )
        : null,
    ownCookies: parts.ownCookies,
    request: compileTransform(config.request, route.request, scopes.request),
    response: compileTransform(config.response, route.response, scopes.response),
    handover: parts.auth.handovers.ofRoute(route.auth, to.service, route.cache),
    credential: parts.auth.credential(to.service),
  };
}

/** Cookies that keep a client on its side of a weighted route, or on its target of a service. */
export function ownCookiesOf({ routes, services }: GatewayConfig): readonly string[] {
  const names = new Set<string>();
  for (const { action } of Object.values(routes))
    if (action.kind === 'proxy' && action.sticky !== null) names.add(action.sticky.cookie);
  for (const { balance } of Object.values(services)) if (balance.kind === 'cookie') names.add(balance.name);
  return [...names];
}

export function compileHost(host: HostConfig | null, scope: Scope): Side['host'] {
  if (host === null || host.kind === 'client') return null;
  if (host.kind === 'service') return 'service';
  return compileAuthority(host.template, scope);
}

/** Where the key fails, or is nothing, the request goes as if no hash were said. */
function compileKey(source: Expression, scope: Scope): NonNullable<Side['balanceKey']> {
  const program = compileExpression(source, scope);
  return (_exchange, vars) => {
    try {
      const value = program.evaluate(vars);
      return value === null ? null : typeof value === 'string' ? value : toJson(value);
    } catch (error) {
      if (error instanceof EvaluationFailure) return null;
      throw error;
    }
  };
}
