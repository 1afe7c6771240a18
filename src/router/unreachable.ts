import { type Candidate, type CompiledRoute, candidatesOf, type RouteEntry } from './candidate.ts';
import { methodFits } from './conditions.ts';
import { covers, isWide, shapeOf } from './covers.ts';
import { rankCandidates, whyBetter } from './precedence.ts';

export interface Unreachable {
  /** Name of the route that no request ever reaches. */
  route: string;
  /** Name of the route that takes its requests, the first of several. */
  by: string;
  why: string;
}

/**
 * Routes that no request can reach: whatever they would take, others take before them. Says so only where it
 * is certain; what patterns have in common is not worked out. In the order of the file.
 */
export function findUnreachable<R>(entries: readonly RouteEntry<R>[]): Unreachable[] {
  const candidates = rankCandidates(candidatesOf(entries));
  const places = groupByPlace(candidates);
  const reachable = new Set<CompiledRoute<R>>();
  const takenBy = new Map<CompiledRoute<R>, Unreachable>();
  for (const candidate of candidates) {
    if (reachable.has(candidate.route)) continue;
    const takers = takersOf(candidate, places.get(placeOf(candidate))!);
    if (takers === null) {
      reachable.add(candidate.route);
    } else if (!takenBy.has(candidate.route)) {
      takenBy.set(candidate.route, unreachable(candidate, takers));
    }
  }
  return [...takenBy]
    .filter(([route]) => !reachable.has(route))
    .sort(inFileOrder)
    .map(([, found]) => found);
}

/** Candidates of one listener and host, from the best to the last: by the shape of their path, and the wide ones. */
interface Place<R> {
  shapes: Map<string, Candidate<R>[]>;
  wide: Candidate<R>[];
}

function groupByPlace<R>(candidates: readonly Candidate<R>[]): Map<string, Place<R>> {
  const places = new Map<string, Place<R>>();
  for (const candidate of candidates) {
    const key = placeOf(candidate);
    const place = places.get(key) ?? { shapes: new Map<string, Candidate<R>[]>(), wide: [] };
    places.set(key, place);
    const shape = shapeOf(candidate.path);
    const group = place.shapes.get(shape);
    if (group === undefined) place.shapes.set(shape, [candidate]);
    else group.push(candidate);
    if (isWide(candidate.path)) place.wide.push(candidate);
  }
  return places;
}

/** A route with another listener or host is better only by taking less. */
function placeOf({ listener, host }: Candidate<unknown>): string {
  return JSON.stringify([listener, host]);
}

/** Better candidates of other routes that take all that this one would, method by method; null if something is left. */
function takersOf<R>(candidate: Candidate<R>, place: Place<R>): Candidate<R>[] | null {
  const rivals = [...(place.shapes.get(shapeOf(candidate.path)) ?? []), ...place.wide].filter(
    (rival) => rival.rank < candidate.rank && rival.route !== candidate.route && covers(rival, candidate),
  );
  const { methods } = candidate.route.match;
  if (methods.length === 0) {
    const taker = rivals.find((rival) => rival.route.match.methods.length === 0);
    return taker === undefined ? null : [taker];
  }
  const asked = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  const takers = asked.map((method) => rivals.find((rival) => methodFits(rival.route.match.methods, method)));
  return takers.every((taker) => taker !== undefined) ? takers : null;
}

function unreachable(candidate: Candidate<unknown>, takers: readonly Candidate<unknown>[]): Unreachable {
  const [first] = takers as [Candidate<unknown>];
  const names = [...new Set(takers.map((taker) => taker.route.name))];
  const why =
    names.length === 1
      ? `${first.route.name} takes every request that fits it: ${whyBetter(first, candidate)}`
      : `${names.join(' and ')} take every request that fits it`;
  return { route: candidate.route.name, by: first.route.name, why };
}

function inFileOrder(
  a: [CompiledRoute<unknown>, Unreachable],
  b: [CompiledRoute<unknown>, Unreachable],
): number {
  return a[0].index - b[0].index;
}
