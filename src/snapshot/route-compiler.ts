import { isGuarded } from '../auth/index.ts';
import { type Cache, CachedOrigin, invalidating, remembering } from '../cache/index.ts';
import type { ActionConfig, DestinationConfig, RouteConfig, TransformConfig } from '../config/model.ts';
import { readsCookies, readsRequestBody, requestScope, responseScope } from '../expression/index.ts';
import type { CompiledLimits } from '../limit/index.ts';
import {
  Affinity,
  type Answer,
  type AnswerRules,
  behindSteps,
  type CompiledRoute,
  compileMirror,
  compileProxy,
  compileRedirect,
  compileRespond,
  compileSplit,
  compileTransform,
  type Dispatch,
  type Filter,
  type HeaderTransform,
  type Mirror,
  mirroringFirst,
  PHASES,
  type ProxyParts,
  readRequestBody,
  type Side,
} from '../pipeline/index.ts';
import type { RouteEntry } from '../router/index.ts';
import type { Unfinished } from '../util/unfinished.ts';
import { AggregateCompiler } from './aggregate-compiler.ts';
import { compileRules } from './answer-rules.ts';
import { compileAudit } from './audit.ts';
import { urlOf } from './cache-key.ts';
import { compileCacheRules, endsHeader } from './cache-rules.ts';
import { fingerprint } from './fingerprint.ts';
import { NO_ROUTE } from './no-route.ts';
import { compileRefresh, type RefreshParts } from './refresh.ts';
import { routeReads } from './route-reads.ts';
import { type Scopes, scopesOf } from './scopes.ts';
import { compileSide, ownCookiesOf, type SideParts } from './side-compiler.ts';
import { requestVariables, variables } from './variables.ts';
import { varyBySource } from './vary-by-source.ts';
import { compileWhen } from './when.ts';

type ProxyAction = Extract<ActionConfig, { kind: 'proxy' }>;

/** What routes are compiled against. */
export interface RouteParts extends RefreshParts, Omit<SideParts, 'ownCookies'> {
  readonly proxy: ProxyParts;
  readonly limits: CompiledLimits;
  /** Asks another route of the same config, as a client would. */
  inside(route: string): Dispatch;
  readonly cache: Cache;
  readonly unfinished: Unfinished;
  /** Stamp of how changes are mapped to tags (`mappingStamp`). */
  readonly mapping: string;
}

/** Compiles routes: each to just the steps it uses. */
export class RouteCompiler {
  private readonly parts: RouteParts;
  private readonly aggregates: AggregateCompiler;
  /** Some route keeps answers, so that any unsafe request may have to unseat some. */
  private readonly caches: boolean;
  private readonly sides: SideParts;

  constructor(parts: RouteParts) {
    this.parts = parts;
    this.caches = Object.values(parts.config.routes).some(keepsAnswers);
    this.sides = { ...parts, ownCookies: ownCookiesOf(parts.config) };
    this.aggregates = new AggregateCompiler(parts, {
      alone: (...call) => this.alone(...call),
      ignoresCookies: (route) => this.ignoresCookies(route),
      invalidating: (dispatch) => this.invalidating(dispatch),
    });
  }

  entry(route: RouteConfig): RouteEntry<CompiledRoute> {
    const scopes = scopesOf(route);
    const mirror = this.mirror(route, scopes);
    const answersItself = route.action.kind === 'respond' || route.action.kind === 'redirect';
    const filters = this.filters(route, scopes);
    // What stands in for an answer is guarded as that was.
    const guarded = (dispatch: Dispatch) => this.parts.auth.dispatch(route.auth, dispatch, scopes.request);
    if (answersItself && mirror !== null) filters.push(mirroringFirst(mirror));
    const compiled: CompiledRoute = {
      name: route.name,
      counter: this.parts.counters.route(route.name),
      filters,
      dispatch: guarded(this.dispatch(route, scopes)),
      response: compileTransform(null, route.response, scopes.response),
      rules: compileRules(route.answers, scopes.request, (to) => guarded(this.alone(route, to, scopes))),
      mirror: answersItself ? null : mirror,
      literal: literalPaths(route),
      priority: route.priority,
      maxBody: route.maxBody,
    };
    return { route: compiled, name: route.name, match: route.match, when: compileWhen(route.match.when) };
  }

  /** Answers of the gateway's own at a path that no route of the config has. */
  own(name: string, path: string, dispatch: Dispatch): RouteEntry<CompiledRoute> {
    const route: CompiledRoute = {
      name,
      counter: this.parts.counters.route(name),
      filters: [],
      dispatch,
      response: null,
      rules: null,
      mirror: null,
      literal: NO_PATHS,
      priority: 0,
      maxBody: Number.POSITIVE_INFINITY,
    };
    const match = { ...NO_ROUTE.match, paths: [path], methods: ['GET'] };
    return { route, name, match, when: null };
  }

  /** The steps before dispatch, in the order of their phases. */
  private filters(route: RouteConfig, scopes: Scopes): Filter[] {
    const filters = [
      ...this.parts.auth.filters(route.auth, scopes.request),
      ...this.parts.limits.filters(route.name, route.limits, scopes.request, isGuarded(route.auth)),
    ];
    // Of a guarded route nothing is read for those who may not come in.
    const phase = isGuarded(route.auth) ? 'authorize' : 'admit';
    // Only where something looks into it is a body read before its request goes on.
    if (routeReads(this.parts.config, route, scopes, readsRequestBody))
      filters.unshift(readRequestBody(route.maxBody, requestVariables, this.parts.proxy.clock, phase));
    return filters.sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase));
  }

  /**
   * What `defaults` say of answers to requests that no route takes. Where a service is asked for one, whoever sends it is
   * asked first as on a route that says nothing of its own.
   */
  unmatchedRules(): AnswerRules | null {
    const { answers, auth, response } = this.parts.config.unmatched;
    const nowhere = { ...NO_ROUTE, auth, response, answers };
    const scopes = { request: requestScope, response: responseScope };
    const steps = this.parts.auth.filters(auth, requestScope);
    const transform = compileTransform(null, response, responseScope);
    const behind = behindSteps(steps, transform);
    return compileRules(answers, requestScope, (to) =>
      behind(this.parts.auth.dispatch(auth, this.alone(nowhere, to, scopes), requestScope)),
    );
  }

  /** No expression looks at the client's cookies. */
  private readonly ignoresCookies = (route: RouteConfig): boolean =>
    !routeReads(this.parts.config, route, scopesOf(route), readsCookies);

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
        return this.split(route, action, scopes);
      case 'aggregate':
        return this.invalidating(this.aggregates.dispatch(route, action.aggregate), keptMethods(route));
    }
  }

  /** @param kept Methods whose answers are kept: they change nothing. */
  private invalidating(dispatch: Dispatch, kept: readonly string[] = []): Dispatch {
    const { cache } = this.parts;
    if (!this.caches) return dispatch;
    const unseating = invalidating(cache, urlOf, kept, dispatch);
    return cache.ownWrites === null ? unseating : remembering(cache.ownWrites, kept, unseating);
  }

  /** One service asked by itself, beside what the route does. */
  alone(route: RouteConfig, to: DestinationConfig, scopes: Scopes, side: Partial<Side> = {}): Dispatch {
    return compileProxy({ ...compileSide(this.sides, route, to, scopes), ...side }, this.parts.proxy);
  }

  private mirror(route: RouteConfig, scopes: Scopes): Mirror | null {
    if (route.mirror === null) return null;
    const never = {
      attempts: 0,
      on: { connectFailure: false, reset: false, timeout: false, statuses: [] },
      methods: [],
      budget: 0,
    };
    const { timeouts } = compileSide(this.sides, route, route.mirror.to, scopes);
    // Nobody waits for a copy, so nobody would end one whose answer never does.
    const total = Math.min(timeouts.total, Number.isFinite(timeouts.response) ? timeouts.response : 30_000);
    const dispatch = this.alone(route, route.mirror.to, scopes, {
      retries: never,
      affinity: null,
      timeouts: { ...timeouts, total },
    });
    return compileMirror(dispatch, route.mirror.share, this.parts.proxy);
  }

  private split(route: RouteConfig, { to, sticky }: ProxyAction, scopes: Scopes): Dispatch {
    const names = to.map((one, index) =>
      to.findIndex((other) => other.service === one.service) === index
        ? one.service
        : `${one.service}#${index}`,
    );
    const affinity =
      sticky === null
        ? null
        : new Affinity(
            sticky.cookie,
            this.parts.affinityKey,
            `route ${route.name}`,
            () => names,
            sticky.maxAge,
          );
    const branches = to.map((one, index) => ({
      name: names[index]!,
      weight: one.weight,
      dispatch: this.origin(route, one, names[index]!, scopes),
    }));
    return compileSplit(branches, affinity);
  }

  /** One way of a route: its service, behind the cache where the route has one. */
  private origin(route: RouteConfig, to: DestinationConfig, name: string, scopes: Scopes): Dispatch {
    const side = compileSide(this.sides, route, to, scopes);
    const made = [this.parts.config.services[to.service]!.request, route.request];
    const asked = compileProxy(side, this.parts.proxy);
    const telling = varyBySource(asked, route.cache, made, scopes.request);
    const dispatch = this.cached(route, name, side, telling, made);
    // A method whose answers the route keeps changes nothing: it says so.
    return this.invalidating(dispatch, keptMethods(route));
  }

  private cached(
    route: RouteConfig,
    name: string,
    side: Side,
    dispatch: Dispatch,
    made: readonly TransformConfig[],
  ): Dispatch {
    const { cache } = route;
    if (cache === null) return dispatch;
    const rules = compileCacheRules({ ...route, cache }, scopesOf(route), {
      place: `${route.name}\0${name}\0${fingerprint(route, this.parts.config, this.parts.mapping)}\0`,
      patience: side.timeouts.response,
      transform: side.response,
      ownCookies: side.ownCookies,
      cookieEnds: endsHeader(made, 'cookie') && this.ignoresCookies(route),
      passesAuthorization: !isGuarded(route.auth) && !endsHeader(made, 'authorization'),
      audit: compileAudit(route.name, cache, this.parts.counters),
      refresh: compileRefresh(route.name, cache, this.parts),
    });
    return new CachedOrigin(this.parts.cache, rules, dispatch).serve;
  }
}

function keepsAnswers({ cache, action }: RouteConfig): boolean {
  if (cache !== null) return true;
  return action.kind === 'aggregate' && action.aggregate.calls.some((call) => call.cache !== null);
}

function keptMethods({ cache }: RouteConfig): readonly string[] {
  return cache?.policy.methods ?? [];
}

const NO_PATHS: ReadonlySet<string> = new Set();

function literalPaths({ match }: RouteConfig): ReadonlySet<string> {
  const literal = match.paths.filter((path) => path.startsWith('/') && !/[{*~]/.test(path));
  return literal.length === 0 ? NO_PATHS : new Set(literal);
}

/** An answer of the gateway's own, at once. */
function answering(answer: Answer, transform: HeaderTransform | null): Dispatch {
  return (exchange, out) => out.finish(exchange, answer(exchange, variables(exchange)), transform);
}
