import { type Candidate, candidatesOf, type RouteEntry } from './candidate.ts';
import { methodFits } from './conditions.ts';
import { covers } from './covers.ts';
import type { HostPattern } from './host-pattern.ts';
import { rankCandidates } from './precedence.ts';

export interface Overtaken {
  /** Name of the route that takes requests which would else reach `over`. */
  readonly route: string;
  readonly over: string;
}

/**
 * Routes that take requests which would reach another route were they not there, and for which that matters:
 * `matters(route, over)`. Of each route the first it overtakes; only where it is certain. In the order of the
 * file.
 */
export function findOvertaken<R>(
  entries: readonly RouteEntry<R>[],
  matters: (route: R, over: R) => boolean,
): Overtaken[] {
  const ranked = rankCandidates(candidatesOf(entries));
  const byStart = new Map<string, Candidate<R>[]>();
  for (const candidate of ranked) {
    const start = startOf(candidate);
    const group = byStart.get(start);
    if (group === undefined) byStart.set(start, [candidate]);
    else group.push(candidate);
  }
  const found = new Map<string, Overtaken & { index: number }>();
  for (const candidate of ranked) {
    const { name, route, index } = candidate.route;
    if (found.has(name)) continue;
    const start = startOf(candidate);
    // What takes all that this one does begins as it does, or with anything.
    const rivals =
      start === ANY ? byStart.get(ANY)! : [...(byStart.get(start) ?? []), ...(byStart.get(ANY) ?? [])];
    const over = rivals.find((rival) => isOvertaken(rival, candidate) && matters(route, rival.route.route));
    if (over !== undefined) found.set(name, { route: name, over: over.route.name, index });
  }
  return [...found.values()].sort((a, b) => a.index - b.index).map(({ route, over }) => ({ route, over }));
}

const ANY = '';

/** The first segment of its path, in lower case, where that is fixed. */
function startOf({ path }: Candidate<unknown>): string {
  if (path === null || path.kind === 'regex') return ANY;
  if (path.kind === 'exact') return path.path.split('/')[1]!.toLowerCase();
  const [first] = path.segments;
  return first?.kind === 'literal' ? first.text.toLowerCase() : ANY;
}

/** Would `later` take the requests that `candidate` takes before it? */
function isOvertaken(later: Candidate<unknown>, candidate: Candidate<unknown>): boolean {
  if (later.rank <= candidate.rank || later.route === candidate.route) return false;
  if (later.listener !== null && later.listener !== candidate.listener) return false;
  return hostCovers(later.host, candidate.host) && shareMethod(later, candidate) && covers(later, candidate);
}

function hostCovers(wide: HostPattern | null, narrow: HostPattern | null): boolean {
  if (wide === null) return true;
  if (narrow === null) return false;
  if (wide.kind === 'exact') return narrow.kind === 'exact' && wide.host === narrow.host;
  const host = narrow.kind === 'exact' ? narrow.host : narrow.suffix;
  return narrow.kind === 'wildcard'
    ? host.endsWith(wide.suffix)
    : host.length > wide.suffix.length && host.endsWith(wide.suffix);
}

function shareMethod(a: Candidate<unknown>, b: Candidate<unknown>): boolean {
  const { methods } = b.route.match;
  return methods.length === 0 || methods.some((method) => methodFits(a.route.match.methods, method));
}
