import type { Candidate } from './candidate.ts';
import type { RouteSubject } from './subject.ts';

/** Takes a candidate whose listener, host and path fit, or passes it over. */
export type Visit<R> = (candidate: Candidate<R>, subject: RouteSubject) => boolean;

/** The first of a group of equal paths, sorted by rank, that is taken. */
export function firstOf<R>(
  group: readonly Candidate<R>[] | null,
  subject: RouteSubject,
  visit: Visit<R>,
): Candidate<R> | null {
  if (group === null) return null;
  for (let i = 0; i < group.length; i++) {
    const candidate = group[i]!;
    if (visit(candidate, subject)) return candidate;
  }
  return null;
}

/** Groups of equal paths as one, sorted by rank. */
export function merge<R>(
  groups: readonly (readonly Candidate<R>[] | null)[],
): readonly Candidate<R>[] | null {
  const filled = groups.filter((group) => group !== null);
  if (filled.length < 2) return filled[0] ?? null;
  return filled.flat().sort((a, b) => a.rank - b.rank);
}
