import {
  type Address,
  aggregateDispatch,
  aggregateScope,
  compileAggregate,
  keepVariables,
  partTags,
  type TagsOf,
  toldByHead,
  unsaid,
  variesBy,
} from '../aggregate/index.ts';
import { type CompiledAuth, guardReads, isGuarded, namesOwner, toldByKey } from '../auth/index.ts';
import { type Cache, CachedOrigin, type CacheRules } from '../cache/index.ts';
import type {
  AggregateConfig,
  CallConfig,
  CompensateConfig,
  DestinationConfig,
  ForwardConfig,
  GatewayConfig,
  RouteCacheConfig,
  RouteConfig,
} from '../config/model.ts';
import {
  compileExpression,
  compilePath,
  compileTemplate,
  DYN,
  extendScope,
  type Looks,
  listOf,
  requestScope,
} from '../expression/index.ts';
import {
  compileSplit,
  compileTransform,
  type Dispatch,
  type ProxyParts,
  type Side,
} from '../pipeline/index.ts';
import type { Unfinished } from '../util/unfinished.ts';
import { compileAudit } from './audit.ts';
import { compileCacheRules } from './cache-rules.ts';
import { compileCallTransform } from './call-transform.ts';
import { DEFAULT_TIMEOUTS } from './default-timeouts.ts';
import { fingerprint } from './fingerprint.ts';
import { compileRefresh, type RefreshParts } from './refresh.ts';
import { type Scopes, scopesOf } from './scopes.ts';
import { countsAddress, varyBySource } from './vary-by-source.ts';

interface Parts extends RefreshParts {
  readonly config: GatewayConfig;
  readonly proxy: ProxyParts;
  readonly cache: Cache;
  readonly unfinished: Unfinished;
  readonly mapping: string;
  readonly auth: CompiledAuth;
  /** Asks another route of the same config, as a client would. */
  inside(route: string): Dispatch;
}

/** What the compiler of routes lends. */
interface Tools {
  /** One service asked by itself. */
  alone(route: RouteConfig, to: DestinationConfig, scopes: Scopes, side: Partial<Side>): Dispatch;
  /** No expression of the route looks at the client's cookies. */
  ignoresCookies(route: RouteConfig): boolean;
  /** An unsafe request unseats what is kept of its URL. */
  invalidating(dispatch: Dispatch): Dispatch;
}

/** Compiles aggregates: how their calls are asked, and how their answers are kept. */
export class AggregateCompiler {
  private readonly parts: Parts;
  private readonly tools: Tools;

  constructor(parts: Parts, tools: Tools) {
    this.parts = parts;
    this.tools = tools;
  }

  /** Many calls, behind the cache where the route has one. */
  dispatch(route: RouteConfig, config: AggregateConfig): Dispatch {
    const { cache } = route;
    const scopes = scopesOf(route);
    const own = compileTransform(null, route.response, scopes.response);
    const transform = cache === null ? own : unsaid(own);
    const dispatch = aggregateDispatch(
      compileAggregate(config, {
        scope: scopes.request,
        address: (call, name) => this.call(route, config, call, name),
        transform,
        keeping: cache?.policy ?? null,
        byAddress:
          cache !== null && (cache.policy.ignore.has('vary') || countsAddress(cache, scopes.request)),
        parts: { ...this.parts.proxy, unfinished: this.parts.unfinished },
      }),
    );
    if (cache === null) return dispatch;
    const rules = compileCacheRules({ ...route, cache }, scopes, {
      place: `${route.name}\0\0${fingerprint(route, this.parts.config, this.parts.mapping)}\0`,
      patience: config.deadline,
      transform,
      ownCookies: [],
      // No call carries them.
      cookieEnds: this.tools.ignoresCookies(route),
      audit: compileAudit(route.name, cache, this.parts.counters),
      refresh: compileRefresh(route.name, cache, this.parts),
    });
    return tellingWhoAsks(new CachedOrigin(this.parts.cache, withPartTags(rules), dispatch).serve);
  }

  /** What a call of an aggregate is asked through: the one place where that is made. */
  private call(
    route: RouteConfig,
    aggregate: AggregateConfig,
    call: CallConfig | CompensateConfig,
    name: string,
  ): ReturnType<Address> {
    const { to } = call;
    if (to.kind === 'route') return this.inside(route, to.route);
    const cache = 'cache' in call ? call.cache : null;
    const scopes = callScopes(route, aggregate, call);
    const ofRun = cache === null ? [] : namesOfRun(cache, scopes, scopesOf(route));
    let tags: TagsOf | null = null;
    const branches = to.services.map(({ service, weight }) => {
      const destination = { service, path: null, method: null, weight };
      const side = this.callSide(route, service, call, scopes);
      const dispatch = this.tools.alone(route, destination, scopesOf(route), side);
      if (cache === null) return { name: service, weight, dispatch: this.tools.invalidating(dispatch) };
      const rules = compileCacheRules({ ...route, cache }, scopes, {
        place: `${route.name}\0call ${name}\0${service}\0${fingerprint(route, this.parts.config, this.parts.mapping)}\0`,
        patience: aggregate.deadline,
        transform: null,
        ownCookies: [],
        carried: isGuarded(route.auth) && !namesOwner(cache),
        audit: compileAudit(route.name, cache, this.parts.counters),
        refresh: compileRefresh(route.name, cache, this.parts, (client, request) =>
          keepVariables(client, request, ofRun),
        ),
      });
      tags = rules.tags;
      const made = [this.parts.config.services[service]!.request, route.request];
      const telling = varyBySource(dispatch, cache, made, scopes.request);
      const kept = new CachedOrigin(this.parts.cache, rules, telling).serve;
      return { name: service, weight, dispatch: this.tools.invalidating(kept) };
    });
    const dispatch = compileSplit(branches, null);
    return {
      dispatch,
      shows: null,
      tags,
      policy: cache?.policy ?? null,
      composes: false,
      judgesClient: false,
    };
  }

  /** Another route, asked as a client would; what its answers are kept under is known of it. */
  private inside(asking: RouteConfig, name: string): ReturnType<Address> {
    const asked = this.parts.config.routes[name]!;
    const dispatch = this.parts.inside(name);
    const shows = this.parts.auth.showing(this.providersBehind(asked), asking.cache);
    const composes = asked.action.kind === 'aggregate';
    const judgesClient =
      guardReads(asked.auth, scopesOf(asked).request, isOfOneClient) ||
      this.providersBehind(asked).some((provider) => this.judgesWholeRequest(provider, asking));
    const { cache } = asked;
    if (cache === null) return { dispatch, shows, tags: null, policy: null, composes, judgesClient };
    const { tags } = compileCacheRules({ ...asked, cache }, scopesOf(asked), {
      place: '',
      patience: 0,
      transform: null,
      ownCookies: [],
    });
    return { dispatch, shows, tags, policy: cache.policy, composes, judgesClient };
  }

  /**
   * A server that is asked about every request, with its client's address, may let it in by that; so may one whose URL
   * tells it. Not so where the whole is kept for whom that server itself has let in.
   */
  private judgesWholeRequest(name: string, { auth, cache }: RouteConfig): boolean {
    const provider = this.parts.config.auth[name]!;
    if (provider.kind !== 'forward' || cache === null) return false;
    if (provider.from !== null && !isOfOneClient(readByUrl(provider))) return false;
    return !(toldByKey(cache).subject && (auth?.providers.includes(name) ?? false));
  }

  /** Whoever may ask for a credential, where a route is asked: its own providers, and those of the routes it asks. */
  private providersBehind({ auth, action }: RouteConfig): readonly string[] {
    const own = auth?.providers ?? [];
    if (action.kind !== 'aggregate') return own;
    const asked = action.aggregate.calls
      .flatMap(({ to, compensate }) => [to, ...(compensate === null ? [] : [compensate.to])])
      .flatMap((to) =>
        to.kind === 'route' ? this.providersBehind(this.parts.config.routes[to.route]!) : [],
      );
    return [...new Set([...own, ...asked])];
  }

  /** What is special about asking a service for a part of an answer. */
  private callSide(
    route: RouteConfig,
    service: string,
    call: CallConfig | CompensateConfig,
    scopes: Scopes,
  ): Partial<Side> {
    const config = this.parts.config.services[service]!;
    const timeouts = { ...DEFAULT_TIMEOUTS, ...config.timeout, ...route.timeout, ...call.timeout };
    const retries = 'retries' in call ? call.retries : null;
    const cache = 'cache' in call ? call.cache : null;
    return {
      destination: ({ target }) => target,
      // What bounds the head elsewhere bounds the whole answer here.
      timeouts: {
        ...timeouts,
        total: Math.min(timeouts.response, timeouts.total),
        response: Number.POSITIVE_INFINITY,
      },
      totalFromSending: true,
      retries: retries ?? route.retries ?? config.retries,
      affinity: null,
      request: compileCallTransform(config.request, route.request, Object.keys(call.headers), scopes.request),
      response: null,
      handover: this.parts.auth.handovers.ofCall(route.auth, service, route.cache, cache),
    };
  }
}

/** What is in no key: who passes a guard that looks at it can't be told of an answer that is kept. */
const isOfOneClient: Looks = (mentions) => variesBy([mentions]) === '*';

function readByUrl({ path }: ForwardConfig): ReadonlySet<string> {
  return path.includes('{') ? compilePath(path, requestScope).mentions : new Set();
}

/** The variables of what a call says beside its request: the other calls and the item, too. */
function callScopes(
  route: RouteConfig,
  { calls }: AggregateConfig,
  call: CallConfig | CompensateConfig,
): Scopes {
  const { request, response } = scopesOf(route);
  const each = 'each' in call ? call.each : null;
  const item =
    each === null ? {} : { [each.as]: DYN, ...(each.batch === null ? {} : { items: listOf(DYN) }) };
  const all = extendScope(aggregateScope(calls, request), item);
  return { request: all, response: extendScope(all, { response: response.variables.get('response')! }) };
}

/** What a call's cache looks at beside the client's request and the answer: its item. */
function namesOfRun({ tags, vary, store }: RouteCacheConfig, own: Scopes, route: Scopes): string[] {
  const mentions = [
    ...tags.map((tag) => compileTemplate(tag, own.response, { pure: true, filled: true }).mentions),
    ...(vary === null ? [] : [compileExpression(vary, own.request, { pure: true }).mentions]),
    ...(store === null ? [] : [compileExpression(store, own.response, { pure: true }).mentions]),
  ];
  const names = new Set(mentions.flatMap((paths) => [...paths].map((path) => path.split('.', 1)[0]!)));
  return [...names].filter((name) => !route.response.variables.has(name));
}

/** What an aggregate's answer says to the cache before it, it says to another aggregate that it becomes a part of, too. */
function tellingWhoAsks(dispatch: Dispatch): Dispatch {
  return (exchange, out) => {
    if (exchange.madeFor === null) return dispatch(exchange, out);
    dispatch(exchange, {
      finish(_exchange, answer, transform) {
        exchange.madeOf = toldByHead(answer.headers);
        out.finish(exchange, answer, transform);
      },
    });
  };
}

/** An aggregate is kept under the tags of its parts too, and not at all where one of them forbids it. */
function withPartTags<T>(rules: CacheRules<T>): CacheRules<T> {
  return {
    ...rules,
    store: (exchange, answer) =>
      partTags(answer.headers) !== null && (rules.store === null || rules.store(exchange, answer)),
    tags: (exchange, answer) => {
      const own = rules.tags === null ? [] : rules.tags(exchange, answer);
      const parts = partTags(answer.headers);
      return own === null || parts === null ? null : [...new Set([...own, ...parts])];
    },
  };
}
