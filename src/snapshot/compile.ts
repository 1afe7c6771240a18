import type { DestinationConfig, GatewayConfig, HostConfig, RouteConfig } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  ExchangeVariables,
  ResponseVariables,
  requestScope,
  responseScope,
  routeScope,
  type Scope,
  type Variables,
} from '../expression/index.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import {
  type Answer,
  type CompiledRoute,
  compileAuthority,
  compileDestination,
  compileProxy,
  compileQueryOnly,
  compileRedirect,
  compileRespond,
  compileTransform,
  type Dispatch,
  type HeaderTransform,
  type PipelineSnapshot,
  type ProxyParts,
  type RequestSubject,
  readRequestBody,
  type Side,
  type Timeouts,
} from '../pipeline/index.ts';
import { compileRouter, pathParameters, type RouteEntry, type RouteSubject } from '../router/index.ts';
import type { Counters } from '../telemetry/index.ts';
import { roundRobin, type Service, type Upstreams } from '../upstream/index.ts';
import { type AddressSet, compileAddresses } from '../util/cidr.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { mentionsBody } from './mentions.ts';

/** What compiling a config needs of the gateway around it. */
export interface SnapshotParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly upstreams: Upstreams;
}

/** A gateway compiled from a config: immutable; all names resolved, all expressions compiled. */
export interface Snapshot extends PipelineSnapshot {
  readonly config: GatewayConfig;
  readonly services: ReadonlyMap<string, Service>;
  /** Makes what it claimed of the gateway's lasting state the state in force. */
  commit(): void;
}

const DEFAULT_TIMEOUTS: Timeouts = {
  response: 30_000,
  connect: 1_000,
  firstByte: Number.POSITIVE_INFINITY,
  idle: 60_000,
  total: Number.POSITIVE_INFINITY,
};

/**
 * Compiles a config that the checks found nothing wrong with. Pure but for claims on lasting state, which only
 * `commit` makes good.
 *
 * @throws ExpressionError, PathPatternError, RangeError for a config that was not checked
 */
export function compileSnapshot(config: GatewayConfig, parts: SnapshotParts): Snapshot {
  const { services, commit } = parts.upstreams.compile(Object.values(config.services));
  const proxy: ProxyParts = { clock: parts.clock, random: parts.random, variables };
  const compile = new RouteCompiler(config, services, proxy, parts.counters);
  const entries = Object.values(config.routes).map((route) => compile.entry(route));
  return {
    config,
    services,
    commit,
    router: compileRouter(entries),
    trusted: compileTrusted(config),
    unmatched: compileTransform(null, config.unmatched.response, responseScope),
  };
}

/** The variables of expressions for an exchange, and its answer once there is one. */
export function variables(exchange: Exchange, answer?: Reply): Variables {
  const request = requestVariables(exchange);
  return answer === undefined ? request : new ResponseVariables(request, answer);
}

/** Made once for an exchange. */
function requestVariables(exchange: Exchange): ExchangeVariables {
  exchange.variables ??= new ExchangeVariables(exchange);
  return exchange.variables as ExchangeVariables;
}

export function compileTrusted(config: GatewayConfig): ReadonlyMap<string, AddressSet> | null {
  const believing = config.listen.filter((listener) => listener.trustedProxies.length > 0);
  if (believing.length === 0) return null;
  return new Map(believing.map((listener) => [listener.name, compileAddresses(listener.trustedProxies)]));
}

class RouteCompiler {
  private readonly config: GatewayConfig;
  private readonly services: ReadonlyMap<string, Service>;
  private readonly proxy: ProxyParts;
  private readonly counters: Counters;

  constructor(
    config: GatewayConfig,
    services: ReadonlyMap<string, Service>,
    proxy: ProxyParts,
    counters: Counters,
  ) {
    this.config = config;
    this.services = services;
    this.proxy = proxy;
    this.counters = counters;
  }

  entry(route: RouteConfig): RouteEntry<CompiledRoute> {
    const scopes = scopesOf(route);
    const compiled: CompiledRoute = {
      name: route.name,
      counter: this.counters.route(route.name),
      filters: this.readsBody(route, scopes) ? [readRequestBody(route.maxBody, requestVariables)] : [],
      dispatch: this.dispatch(route, scopes),
      response: compileTransform(null, route.response, scopes.response),
      maxBody: route.maxBody,
    };
    return { route: compiled, name: route.name, match: route.match, when: compileWhen(route.match.when) };
  }

  private readsBody(route: RouteConfig, scopes: Scopes): boolean {
    const { action } = route;
    const services = action.kind === 'proxy' ? action.to.map((to) => this.config.services[to.service]!) : [];
    const texts = [
      action,
      route.host,
      route.request,
      route.response,
      ...services.flatMap((s) => [s.host, s.request, s.response]),
    ];
    return texts.some((part) => mentionsBody(part, scopes.response));
  }

  private dispatch(route: RouteConfig, scopes: Scopes): Dispatch {
    const { action } = route;
    switch (action.kind) {
      case 'respond':
        return answering(
          compileRespond(action.respond, scopes.request),
          compileTransform(null, route.response, scopes.response),
        );
      case 'redirect':
        return answering(
          compileRedirect(action.redirect, scopes.request),
          compileTransform(null, route.response, scopes.response),
        );
      case 'proxy':
        return compileProxy(roundRobin(action.to.map((to) => this.side(route, to, scopes))), this.proxy);
    }
  }

  private side(route: RouteConfig, to: DestinationConfig, scopes: Scopes): Side {
    const config = this.config.services[to.service]!;
    return {
      weight: to.weight,
      service: this.services.get(to.service)!,
      destination: compileDestination(to, scopes.request, compileQueryOnly(config.request, route.request)),
      method: to.method,
      host: compileHost(route.host ?? config.host, scopes.request),
      timeouts: { ...DEFAULT_TIMEOUTS, ...config.timeout, ...route.timeout },
      retries: route.retries ?? config.retries,
      balanceKey: null,
      request: compileTransform(config.request, route.request, scopes.request),
      response: compileTransform(config.response, route.response, scopes.response),
    };
  }
}

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

/** An answer of the gateway's own, at once. */
function answering(answer: Answer, transform: HeaderTransform | null): Dispatch {
  return (exchange, out) => out.finish(exchange, answer(exchange, variables(exchange)), transform);
}

function compileHost(host: HostConfig | null, scope: Scope): Side['host'] {
  if (host === null || host.kind === 'client') return null;
  if (host.kind === 'service') return 'service';
  return compileAuthority(host.template, scope);
}

/** A `when` that fails does not match. */
export function compileWhen(when: RouteConfig['match']['when']): ((subject: RouteSubject) => boolean) | null {
  if (when === null) return null;
  const program = compileExpression(when, requestScope, { expects: 'bool' });
  return (subject) => {
    try {
      return program.evaluate(variables((subject as RequestSubject).exchange)) === true;
    } catch (error) {
      if (error instanceof EvaluationFailure) return false;
      throw error;
    }
  };
}
