import { HISTOGRAM } from '../metrics/route-detail.ts';

/** What became of the requests of one route that were over in a while. */
export interface RouteMoves {
  requests: number;
  /** Of routes with a cache: those for which it was asked, and those that it answered. */
  cached: number;
  hits: number;
  /** 401, 403 and 429 of the gateway itself. */
  refused: number;
  /** 5xx. */
  errors: number;
  /** A histogram of durations (`HISTOGRAM`). */
  readonly durations: Float64Array;
}

export interface EdgeMoves {
  readonly route: string;
  readonly service: string;
  requests: number;
  errors: number;
}

export interface ListenerMoves {
  readonly listener: string;
  readonly route: string;
  requests: number;
}

/** What moved in a while: routes by name, what no route took among them; what did not move is not there. */
export interface Moves {
  readonly routes: Map<string, RouteMoves>;
  /** By route, then service. */
  readonly edges: Map<string, Map<string, EdgeMoves>>;
  /** By route, then listener. */
  readonly listeners: Map<string, Map<string, ListenerMoves>>;
}

export function noMoves(): Moves {
  return { routes: new Map(), edges: new Map(), listeners: new Map() };
}

export function routeMoves({ routes }: Moves, name: string): RouteMoves {
  let route = routes.get(name);
  if (route === undefined) {
    const durations = new Float64Array(HISTOGRAM);
    route = { requests: 0, cached: 0, hits: 0, refused: 0, errors: 0, durations };
    routes.set(name, route);
  }
  return route;
}

export function edgeMoves({ edges }: Moves, route: string, service: string): EdgeMoves {
  const own = ofRoute(edges, route);
  let edge = own.get(service);
  if (edge === undefined) {
    edge = { route, service, requests: 0, errors: 0 };
    own.set(service, edge);
  }
  return edge;
}

export function listenerMoves({ listeners }: Moves, listener: string, route: string): ListenerMoves {
  const own = ofRoute(listeners, route);
  let moves = own.get(listener);
  if (moves === undefined) {
    moves = { listener, route, requests: 0 };
    own.set(listener, moves);
  }
  return moves;
}

/** Two maps of names that stand already cost each request less than one of keys that are made of both. */
function ofRoute<T>(all: Map<string, Map<string, T>>, route: string): Map<string, T> {
  let own = all.get(route);
  if (own === undefined) {
    own = new Map();
    all.set(route, own);
  }
  return own;
}

/** What moved of all routes. */
export function allOf<T>(byRoute: ReadonlyMap<string, ReadonlyMap<string, T>>): T[] {
  return [...byRoute.values()].flatMap((own) => [...own.values()]);
}

/** Adds what another worker saw. */
export function addMoves(sum: Moves, more: Moves): void {
  for (const [name, moves] of more.routes) addRoute(routeMoves(sum, name), moves);
  for (const { route, service, requests, errors } of allOf(more.edges)) {
    const edge = edgeMoves(sum, route, service);
    edge.requests += requests;
    edge.errors += errors;
  }
  for (const { listener, route, requests } of allOf(more.listeners))
    listenerMoves(sum, listener, route).requests += requests;
}

export function addRoute(sum: RouteMoves, more: RouteMoves): void {
  sum.requests += more.requests;
  sum.cached += more.cached;
  sum.hits += more.hits;
  sum.refused += more.refused;
  sum.errors += more.errors;
  for (let i = 0; i < HISTOGRAM; i++) sum.durations[i]! += more.durations[i]!;
}
