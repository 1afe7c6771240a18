import type { MatchConfig } from '../config/model.ts';
import { NO_PARAMS, type Params } from '../http/exchange.ts';
import { type Conditions, compileConditions, type When } from './conditions.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { type Capture, capturesOf, readParams, restAt } from './params.ts';
import { type PathPattern, parsePathPattern } from './path-pattern.ts';

/** A route as it is handed to the router. */
export interface RouteEntry<R> {
  route: R;
  name: string;
  match: MatchConfig;
  when: When | null;
}

export interface RouteMatch<R> {
  readonly route: R;
  /** Decoded once; `*` is the rest of `/prefix/*`. */
  readonly params: Params;
  /**
   * What the rest stood for, as it stands in the path, its leading slash included: `/prefix/*` on `/prefix` has
   * '', on `/prefix/` it has '/'. Null where the path that matched has no rest.
   */
  readonly rest: string | null;
}

/** A compiled route, shared by all its candidates. */
export interface CompiledRoute<R> {
  readonly route: R;
  readonly name: string;
  readonly match: MatchConfig;
  /** Its place in the file. */
  readonly index: number;
  readonly conditions: Conditions | null;
}

/** One listener, host and path that a route lists: the unit that precedence is about. */
export interface Candidate<R> {
  readonly route: CompiledRoute<R>;
  readonly listener: string | null;
  readonly host: HostPattern | null;
  /** As written; null where the route names none. */
  readonly pathText: string | null;
  readonly path: PathPattern | null;
  readonly captures: readonly Capture[] | null;
  /** The answer, where no part of the request goes into it. */
  readonly fixed: RouteMatch<R> | null;
  /** Of its route, here for the sake of speed. Null: any method. */
  readonly methods: readonly string[] | null;
  readonly conditions: Conditions | null;
  /** Its place among all candidates; the lower is asked first. */
  rank: number;
}

/** Every candidate of the routes, in the order of the file. */
export function candidatesOf<R>(entries: readonly RouteEntry<R>[]): Candidate<R>[] {
  return entries.flatMap((entry, index) => {
    const { match } = entry;
    const conditions = compileConditions(match, entry.when);
    const route = { route: entry.route, name: entry.name, match, index, conditions };
    const listeners = match.listeners.length > 0 ? match.listeners : [null];
    const hosts = match.hosts.length > 0 ? match.hosts.map(parseHostPattern) : [null];
    const paths =
      match.paths.length > 0 ? match.paths.map((text) => pathOf(text, match.ignoreCase)) : [NO_PATH];
    return listeners.flatMap((listener) =>
      hosts.flatMap((host) => paths.map((path) => candidate(route, listener, host, path))),
    );
  });
}

type ListedPath = { text: string; pattern: PathPattern } | { text: null; pattern: null };

const NO_PATH: ListedPath = { text: null, pattern: null };

function pathOf(text: string, ignoreCase: boolean): ListedPath {
  return { text, pattern: parsePathPattern(text, ignoreCase) };
}

function candidate<R>(
  route: CompiledRoute<R>,
  listener: string | null,
  host: HostPattern | null,
  path: ListedPath,
): Candidate<R> {
  const captures = path.pattern === null ? null : capturesOf(path.pattern);
  const fixed =
    captures === null ? Object.freeze({ route: route.route, params: NO_PARAMS, rest: null }) : null;
  const methods = route.match.methods.length > 0 ? route.match.methods : null;
  return {
    route,
    listener,
    host,
    pathText: path.text,
    path: path.pattern,
    captures,
    fixed,
    methods,
    conditions: route.conditions,
    rank: 0,
  };
}

/** What a candidate makes of a path that it matches. */
export function matchOf<R>(candidate: Candidate<R>, path: string): RouteMatch<R> {
  if (candidate.fixed !== null) return candidate.fixed;
  const captures = candidate.captures!;
  return { route: candidate.route.route, params: readParams(captures, path), rest: restAt(captures, path) };
}
