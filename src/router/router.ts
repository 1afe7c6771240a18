import {
  type Candidate,
  type CompiledRoute,
  candidatesOf,
  matchOf,
  type RouteEntry,
  type RouteMatch,
} from './candidate.ts';
import { conditionsHold, methodFits } from './conditions.ts';
import type { Visit } from './group.ts';
import { HostIndex } from './host-index.ts';
import { rankCandidates } from './precedence.ts';
import { otherReadings } from './readings.ts';
import type { RouteSubject } from './subject.ts';

export type NoMatch =
  | { readonly status: 404 }
  /** `allow`: the methods that would be taken here, GET with HEAD. */
  | { readonly status: 405; readonly allow: readonly string[] }
  /** A service might read the path as one that another route rules, or as none that is valid. */
  | { readonly status: 400 };

const NOT_FOUND: NoMatch = Object.freeze({ status: 404 });
const DOUBTFUL: NoMatch = Object.freeze({ status: 400 });

/**
 * Compiles routes, in the order of the file. Their matches must be free of what `matchErrors` reports;
 * otherwise throws a `PathPatternError`, `PatternError` or RangeError.
 */
export function compileRouter<R>(entries: readonly RouteEntry<R>[]): Router<R> {
  const candidates = candidatesOf(entries);
  return new Router([...new Set(candidates.map((candidate) => candidate.route))], rankCandidates(candidates));
}

/** Immutable; shared by all requests. */
export class Router<R> {
  /** In the order of the file. */
  readonly routes: readonly CompiledRoute<R>[];
  private readonly listeners: Map<string, HostIndex<R>> | null;
  private readonly anyListener = new HostIndex<R>();

  /** `candidates`: from the best to the last. */
  constructor(routes: readonly CompiledRoute<R>[], candidates: readonly Candidate<R>[]) {
    this.routes = routes;
    const listeners = new Map<string, HostIndex<R>>();
    for (const candidate of candidates) {
      if (candidate.listener === null) {
        this.anyListener.add(candidate);
        continue;
      }
      const index = listeners.get(candidate.listener) ?? new HostIndex<R>();
      listeners.set(candidate.listener, index);
      index.add(candidate);
    }
    this.listeners = listeners.size > 0 ? listeners : null;
  }

  /** The route that takes a request, or the status that says why none does. */
  match(subject: RouteSubject): RouteMatch<R> | NoMatch {
    const { path } = subject;
    const found = this.find(path, subject, takes);
    if (found === null) return this.refusal(subject);
    const readings = otherReadings(path);
    if (readings !== undefined && !this.isSafe(found, readings, subject)) return DOUBTFUL;
    return matchOf(found, path);
  }

  /** The candidate that `match` would answer with, doubts aside. */
  best(subject: RouteSubject): Candidate<R> | null {
    return this.find(subject.path, subject, takes);
  }

  /** Every candidate whose listener, host and path fit, from the best to the last. */
  fits(path: string, subject: RouteSubject): Candidate<R>[] {
    const fits: Candidate<R>[] = [];
    this.find(path, subject, (candidate) => {
      fits.push(candidate);
      return false;
    });
    return fits;
  }

  private find(path: string, subject: RouteSubject, visit: Visit<R>): Candidate<R> | null {
    const own = this.listeners?.get(subject.listener);
    const found = own === undefined ? null : own.find(path, subject, visit);
    return found ?? this.anyListener.find(path, subject, visit);
  }

  /**
   * 405 tells the client that the method alone is wrong. That is so where some route would take the request by
   * another method, and no route that fits takes its method but asks for something else that is missing.
   */
  private refusal(subject: RouteSubject): NoMatch {
    const allow = new Set<string>();
    for (const { route, captures } of this.fits(subject.path, subject)) {
      if (methodFits(route.match.methods, subject.method)) return NOT_FOUND;
      if (route.conditions !== null && !conditionsHold(route.conditions, subject, captures)) continue;
      for (const method of route.match.methods) {
        allow.add(method);
        if (method === 'GET') allow.add('HEAD');
      }
    }
    return allow.size === 0 ? NOT_FOUND : { status: 405, allow: [...allow] };
  }

  /** Is every other reading of the path under the same route, or under none? */
  private isSafe(found: Candidate<R>, readings: ReadonlySet<string> | null, subject: RouteSubject): boolean {
    if (readings === null) return false;
    for (const reading of readings) {
      const reader = readingOf(subject, reading);
      const other = this.find(reading, reader, takes);
      if (other === null ? this.isRuled(reading, reader, subject) : other.route !== found.route) return false;
    }
    return true;
  }

  /**
   * A reading that no route takes may still be one that a route refuses, by its method or its addresses. Routes
   * that fit the path as it came say nothing about the reading.
   */
  private isRuled(reading: string, reader: RouteSubject, subject: RouteSubject): boolean {
    const known = new Set(this.fits(subject.path, subject).map((candidate) => candidate.route));
    return this.fits(reading, reader).some((candidate) => !known.has(candidate.route));
  }
}

/** The subject, but for the path: what a route captures is captured from that. */
function readingOf(subject: RouteSubject, path: string): RouteSubject {
  return Object.create(subject, { path: { value: path } }) as RouteSubject;
}

function takes(candidate: Candidate<unknown>, subject: RouteSubject): boolean {
  const { methods, conditions, captures } = candidate;
  if (methods !== null && !methodFits(methods, subject.method)) return false;
  return conditions === null || conditionsHold(conditions, subject, captures);
}
