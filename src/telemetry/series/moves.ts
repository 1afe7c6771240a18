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
  readonly edges: Map<string, EdgeMoves>;
  readonly listeners: Map<string, ListenerMoves>;
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
  const key = `${route}\n${service}`;
  let edge = edges.get(key);
  if (edge === undefined) {
    edge = { route, service, requests: 0, errors: 0 };
    edges.set(key, edge);
  }
  return edge;
}

export function listenerMoves({ listeners }: Moves, listener: string, route: string): ListenerMoves {
  const key = `${listener}\n${route}`;
  let moves = listeners.get(key);
  if (moves === undefined) {
    moves = { listener, route, requests: 0 };
    listeners.set(key, moves);
  }
  return moves;
}

/** Adds what another worker saw. */
export function addMoves(sum: Moves, more: Moves): void {
  for (const [name, moves] of more.routes) addRoute(routeMoves(sum, name), moves);
  for (const { route, service, requests, errors } of more.edges.values()) {
    const edge = edgeMoves(sum, route, service);
    edge.requests += requests;
    edge.errors += errors;
  }
  for (const { listener, route, requests } of more.listeners.values())
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
