import { ALWAYS, AuthRoom, type ExplainedAuth, explainAuth, isGuarded, NO_FENCES } from '../auth/index.ts';
import type { GatewayConfig, ListenerConfig, RouteConfig } from '../config/model.ts';
import { ExchangeVariables } from '../expression/index.ts';
import { Exchange, type Params, type Reply, reply } from '../http/exchange.ts';
import { fieldBytes } from '../http/field-text.ts';
import type { Headers } from '../http/headers.ts';
import { getHeader } from '../http/headers.ts';
import { type ExplainedLimit, explainLimits } from '../limit/index.ts';
import {
  type CompiledRoute,
  compileDestination,
  compileQueryOnly,
  compileRedirect,
  failureOf,
  isAuthority,
  Pipeline,
  ReadyPath,
  RequestSubject,
} from '../pipeline/index.ts';
import { compileRouter, explainMatch, type NoMatch, type Router } from '../router/index.ts';
import { Counters, silentLogger } from '../telemetry/index.ts';
import { Resolver } from '../upstream/index.ts';
import { systemClock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { MASK } from '../util/secret.ts';
import { maskUrl } from '../util/secret-looks.ts';
import { compileTrusted } from './compile.ts';
import { describeTrying, placesOf, type Trying } from './describe-service.ts';
import { type ExplainedCache, explainCache } from './explain-cache.ts';
import { refusedHead, type Unread, unread } from './explain-head.ts';
import { type ExplainedPlan, explainPlan } from './explain-plan.ts';
import { scopesOf } from './scopes.ts';
import { compileHost } from './side-compiler.ts';
import { requestVariables, variables } from './variables.ts';
import { compileWhen } from './when.ts';

/** A request to be explained, without being sent. */
export interface ExplainRequest {
  method: string;
  /** Absolute, or a path: then the host is that of the `host` header, else the listener's address. */
  url: string;
  headers: Headers;
  /** The peer's address; loopback where nothing is said. */
  ip?: string;
  /** Name of the listener; else the one on the URL's port, else the first. */
  listener?: string;
}

/** What would become of a request. */
export interface Explained {
  /** Null where no route takes it. */
  route: string | null;
  /** The status, where the gateway itself gives it; null where a service answers. */
  status: number | null;
  params: Params;
  /** The URL that is asked at the service, of the first target that has a weight; null where none is asked. */
  target: string | null;
  /** Every service that may answer, with its share. */
  destinations: Destination[];
  /** What auth would do; null: the route is open to everyone, or there is none. */
  auth: ExplainedAuth | null;
  /** The limits that would count it. */
  limits: ExplainedLimit[];
  /** What the cache would do; null: the route keeps no answers. */
  cache: ExplainedCache | null;
  /** Where a redirect leads. */
  location: string | null;
  /** Why no route takes it, or why it can't be sent on. */
  why: string | null;
  /** What an aggregate asks, and in what order; null for other routes. */
  plan: ExplainedPlan | null;
  rejected: { route: string; why: string }[];
}

export interface Destination extends Trying {
  service: string;
  weight: number;
  method: string;
  /** One URL for each target that has a weight. */
  urls: string[];
  /** The weights of `urls`. */
  weights: number[];
}

/** A request that can't be read: the message says what is wrong with it. */
export class BadRequest extends Error {
  /** By which it is known in another process. */
  readonly code = 'BAD_REQUEST';
}

/**
 * Which route takes a request, why each of the others does not, and what would be asked where. It goes the way
 * of a real request up to the point where the answer would be made.
 *
 * @throws BadRequest for a URL or listener that makes no sense
 */
export function explainRequest(config: GatewayConfig, request: ExplainRequest): Explained {
  const refused = refusedUnread(request);
  if (refused !== null) return { ...NOTHING, ...refused, params: {}, rejected: [] };
  const router = compileRoutes(config);
  const { exchange, route, answers } = routed(config, router, request);
  const listener = config.listen.find(({ name }) => name === exchange.origin.listener)!;
  const answered = refusedHead(exchange, request.headers, listener) ?? readyOf(config, exchange);
  if (answered !== null) return { ...NOTHING, ...answered, params: {}, rejected: [] };
  const found = { ...NOTHING, rejected: rejectedBy(router, exchange), params: exchange.params };
  if (route === undefined)
    return { ...found, status: answers[0]?.status ?? 404, why: refusalOf(router, exchange) };
  // Takes credentials off the request, so it comes first, as the guard does.
  const auth = authOf(config, route, exchange);
  const outcome = outcomeOf(config, route, exchange);
  const limits = limitsOf(route, exchange);
  return {
    ...found,
    route: route.name,
    ...outcome,
    auth,
    limits,
    cache: explainCache(route, exchange, auth?.provider != null && exchange.identity === null),
    status: auth?.status ?? outcome.status ?? null,
  };
}

/** Routes that only note that they were taken. */
export function compileRoutes(config: GatewayConfig): Router<CompiledRoute> {
  return compileRouter(Object.values(config.routes).map(entryOf));
}

/** A request on its way to its route, and no further; `route` undefined: none takes it. */
export function routed(
  config: GatewayConfig,
  router: Router<CompiledRoute>,
  request: ExplainRequest,
): { exchange: Exchange; route: RouteConfig | undefined; answers: readonly Reply[] } {
  const answers: Reply[] = [];
  const exchange = exchangeOf(config, request, (answer) => answers.push(answer));
  const parts = {
    clock: systemClock,
    random: systemRandom,
    unmatched: new Counters().route(''),
    variables,
    failed: () => {},
  };
  new Pipeline(
    {
      router,
      trusted: compileTrusted(config),
      unmatched: null,
      rules: null,
      ahead: null,
      wellKnown: null,
      observers: [],
      tracer: null,
      overload: null,
    },
    parts,
  ).handle(exchange);
  const route = exchange.route === null ? undefined : config.routes[exchange.route.name];
  return { exchange, route, answers };
}

/** What no connection hands on, whatever the routes say. */
function refusedUnread({ method, url }: ExplainRequest): Unread | null {
  if (method === 'CONNECT') return unread('TG_REQUEST_CONNECT');
  return url === '*' && method !== 'OPTIONS' ? unread('TG_REQUEST_TARGET') : null;
}

/** What is told to load balancers before any route is looked for; null: it asks for something else. */
function readyOf({ admin }: GatewayConfig, exchange: Exchange): Pick<Explained, 'status' | 'why'> | null {
  const path = admin?.readyPath ?? null;
  const answer = path === null ? null : new ReadyPath(path, { why: null }).answer(exchange);
  if (answer === null) return null;
  return { status: answer.status, why: 'it asks for `admin.readyPath`, which is answered before all routes' };
}

const NOTHING: Omit<Explained, 'rejected' | 'params'> = {
  route: null,
  status: null,
  target: null,
  destinations: [],
  auth: null,
  limits: [],
  cache: null,
  location: null,
  why: null,
  plan: null,
};

function authOf(config: GatewayConfig, route: RouteConfig, exchange: Exchange): ExplainedAuth | null {
  if (!route.auth) return null;
  const room = idleAuthRoom();
  const { auth, commit } = room.compile(config);
  commit();
  try {
    return explainAuth(route.auth, auth, scopesOf(route).request, exchange);
  } finally {
    room.close();
  }
}

/** After auth: a key that is known at once tells who asks. */
function limitsOf(route: RouteConfig, exchange: Exchange): ExplainedLimit[] {
  if (route.limits.length === 0) return [];
  const place = { scope: scopesOf(route).request, guarded: isGuarded(route.auth) };
  return explainLimits(route.name, route.limits, place, exchange, new ExchangeVariables(exchange));
}

/** One that is looked into, and asks nobody. */
export function idleAuthRoom(): AuthRoom {
  return new AuthRoom({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    resolver: new Resolver(systemClock),
    fences: NO_FENCES,
    memory: ALWAYS,
    nodeSecret: () => '',
    records: null,
    seenElsewhere: [],
    variables: requestVariables,
  });
}

/** A route that only notes that it was taken. */
function entryOf(config: RouteConfig) {
  const route: CompiledRoute = {
    name: config.name,
    counter: new Counters().route(config.name),
    filters: [],
    dispatch: (exchange, out) => out.finish(exchange, reply(200, [], null), null),
    response: null,
    rules: null,
    mirror: null,
    literal: new Set(),
    priority: 0,
    maxBody: Number.POSITIVE_INFINITY,
  };
  return { route, name: config.name, match: config.match, when: compileWhen(config.match.when) };
}

function exchangeOf(
  config: GatewayConfig,
  request: ExplainRequest,
  respond: (answer: Reply) => void,
): Exchange {
  const { scheme, authority, target } = splitUrl(request.url);
  const listener = listenerOf(config, request, scheme, authority);
  const origin = {
    listener: listener.name,
    scheme: listener.tls === null ? ('http' as const) : ('https' as const),
    address: request.ip ?? '127.0.0.1',
    port: listener.port,
  };
  const host =
    authority ?? getHeader(request.headers, 'host') ?? `${bracketed(listener.host)}:${listener.port}`;
  if (!isAuthority(host)) throw new BadRequest(`"${withoutUser(host)}" is not a host, with a port perhaps`);
  const responder = { inform() {}, respond: (_exchange: Exchange, answer: Reply) => respond(answer) };
  return new Exchange(
    origin,
    responder,
    request.method,
    target,
    host,
    11,
    request.headers.map(fieldBytes),
    null,
    0,
  );
}

/**
 * Not by the URL class: it would mend what a client may send as it is.
 *
 * @throws BadRequest
 */
export function splitUrl(url: string): {
  scheme: string | null;
  authority: string | null;
  target: string;
} {
  const absolute = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (absolute !== null) {
    const [, scheme, authority, rest] = absolute as unknown as [string, string, string, string];
    return { scheme: scheme.toLowerCase(), authority, target: rest.startsWith('/') ? rest : `/${rest}` };
  }
  if (!url.startsWith('/') && url !== '*')
    throw new BadRequest(`"${maskUrl(url)}" is neither a URL nor a path that begins with /`);
  return { scheme: null, authority: null, target: url.replace(/#.*$/, '') };
}

function listenerOf(
  config: GatewayConfig,
  request: ExplainRequest,
  scheme: string | null,
  authority: string | null,
): ListenerConfig {
  const names = config.listen.map((listener) => listener.name);
  if (request.listener !== undefined) {
    const named = config.listen.find((listener) => listener.name === request.listener);
    if (named === undefined)
      throw new BadRequest(`there is no listener "${request.listener}"; there are: ${names.join(', ')}`);
    return named;
  }
  const said = authority === null ? null : /:(\d+)$/.exec(authority)?.[1];
  const port = Number(said ?? (scheme === 'https' ? 443 : 80));
  const onPort = scheme === null ? undefined : config.listen.find((listener) => listener.port === port);
  const sameScheme = config.listen.find((listener) => (listener.tls !== null) === (scheme === 'https'));
  return onPort ?? (scheme === null ? undefined : sameScheme) ?? config.listen[0]!;
}

/** A user and password before a host are nobody's business, whoever reads what is wrong with it. */
function withoutUser(host: string): string {
  return host.replace(/^.*@/s, `${MASK}@`);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function rejectedBy(router: Router<CompiledRoute>, exchange: Exchange): Explained['rejected'] {
  // Without a path nothing was compared.
  if (exchange.path === '') return [];
  return explainMatch(router, new RequestSubject().of(exchange)).rejected;
}

function refusalOf(router: Router<CompiledRoute>, exchange: Exchange): string {
  if (exchange.target === '*') return 'OPTIONS * asks about the gateway itself';
  if (exchange.path === '') return 'the path cannot be forwarded safely';
  const { refusal } = explainMatch(router, new RequestSubject().of(exchange));
  return refusal === null ? 'no route matches' : sentenceOf(refusal);
}

function sentenceOf(refusal: NoMatch): string {
  switch (refusal.status) {
    case 405:
      return `the path is there, but not for this method; allowed: ${refusal.allow.join(', ')}`;
    case 400:
      return 'a service might read the path as one that another route rules';
    default:
      return 'no route matches';
  }
}

function outcomeOf(config: GatewayConfig, route: RouteConfig, exchange: Exchange): Partial<Explained> {
  const { action } = route;
  if (action.kind === 'respond') return { status: action.respond.status };
  if (action.kind === 'redirect') {
    const answer = compileRedirect(action.redirect, scopesOf(route).request)(exchange, variables(exchange));
    const location = getHeader(answer.headers, 'location');
    return { status: answer.status, location: location === undefined ? null : maskUrl(location) };
  }
  if (action.kind === 'aggregate') return { plan: explainPlan(action.aggregate, scopesOf(route).request) };
  try {
    const destinations = action.to.map((to) => destinationOf(config, route, to, exchange));
    const used = destinations.find((destination) => destination.weight > 0);
    return { destinations, target: used?.urls[0] ?? null };
  } catch (error) {
    const failure = failureOf(error, 'TG_UPSTREAM_VALUE');
    return { status: failure.entry.status, why: failure.cause };
  }
}

type To = Extract<RouteConfig['action'], { kind: 'proxy' }>['to'][number];

function destinationOf(config: GatewayConfig, route: RouteConfig, to: To, exchange: Exchange): Destination {
  const service = config.services[to.service]!;
  const only = compileQueryOnly(service.request, route.request);
  const scope = scopesOf(route).request;
  const vars = new ExchangeVariables(exchange);
  const path = compileDestination(to, scope, only)(exchange, vars);
  const host = compileHost(route.host ?? service.host, scope);
  // It fails where no request could be sent with it.
  if (typeof host === 'function') host(vars);
  const places = placesOf(service).filter(({ weight }) => weight > 0);
  const method = to.method ?? exchange.method;
  return {
    service: to.service,
    weight: to.weight,
    method,
    urls: places.map(({ url }) => maskUrl(url + path)),
    weights: places.map(({ weight }) => weight),
    ...describeTrying(service, route, method),
  };
}
