import type { RouteCacheConfig } from '../config/model.ts';
import { filterCookies } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Headers, sameName } from '../http/headers.ts';
import { keepParameters } from '../http/query.ts';
import type { Identity, Place, Provider } from './contract.ts';
import type { Withheld } from './guard.ts';
import { toldByKey } from './handover/index.ts';
import { AUTHORIZATION, credentialPlaces } from './places.ts';

/** What of a client's request shows who asks. */
export interface Shown {
  readonly lines: Headers;
  /** Parameters as they stand in a query; null: none. */
  readonly query: string | null;
  /** The certificate of the client's connection. */
  readonly certificate: boolean;
}

/** What another route is shown of who asks, where an aggregate asks it for a client. */
export type Shows = (original: Exchange) => Shown;

/**
 * Another route is asked as a client would, with the client's credential: what its providers read of the request,
 * whether a guard has taken that off by now or not. Authorization that nobody took off goes on to an open route, too.
 *
 * @param asked The providers of the route, and of those that it asks in turn.
 * @param whole How the answer that is made of its own is kept; null: it is not.
 * @param all By name.
 */
export function compileShowing(
  asked: readonly Provider[],
  whole: RouteCacheConfig | null,
  all: ReadonlyMap<string, Provider>,
): Shows {
  const places = asked.flatMap(credentialPlaces);
  const whatIsThere: Shows = (original) => shownIn([takenOff(original), original], places, original);
  const showsAll: Shows = (original) => withAuthorization(whatIsThere(original), original);
  if (whole === null) return showsAll;
  const showsKept = showingKept(whole, places, all);
  // What comes of a method whose answers are never kept is nobody else's.
  return (original) => {
    const shows = whole.policy.methods.includes(original.method) ? showsKept : showsAll;
    return shows(original);
  };
}

/** An answer that is kept is made of nothing of who asks but what is in its key. */
function showingKept(
  whole: RouteCacheConfig,
  places: readonly Place[],
  all: ReadonlyMap<string, Provider>,
): Shows {
  if (toldByKey(whole).subject)
    return (original) => {
      // The subject is as one provider knows it: what others read is not in the key.
      const provider = all.get((original.identity as Identity | null)?.provider ?? '');
      if (provider === undefined) return NOTHING;
      const known = credentialPlaces(provider);
      const named = places.filter((place) => known.some((one) => isSame(one, place)));
      return shownIn([takenOff(original)], named, original);
    };
  // Where nobody says whose it is, it is kept for nobody who shows Authorization (RFC 9111 §3.5).
  if (whole.policy.owner === 'none') return (original) => withAuthorization(NOTHING, original);
  return () => NOTHING;
}

const NOTHING: Shown = { lines: [], query: null, certificate: false };

const isSame = (one: Place, other: Place) => one.in === other.in && one.name === other.name;

/** Where credentials are looked for. */
interface Source {
  readonly headers: Headers;
  readonly query: string | null;
}

function takenOff({ withheld }: Exchange): Source {
  const { lines, query } = (withheld as Withheld | null) ?? NOTHING;
  return { headers: lines, query };
}

/** What stands in these places, each taken from the first source that has anything there. */
function shownIn(sources: readonly Source[], places: readonly Place[], { headers }: Exchange): Shown {
  const lines: Headers = [];
  const parameters: string[] = [];
  places.forEach((place, index) => {
    if (places.findIndex((other) => isSame(other, place)) < index) return;
    const found = firstOf(sources, (source) => standingIn(place, source));
    if (typeof found === 'string') parameters.push(found);
    else lines.push(...(found ?? []));
  });
  // A cookie counts for unsafe requests only with the page that they come from.
  if (linesNamed(lines, 'cookie') !== null) lines.push(...(linesNamed(headers, 'origin') ?? []));
  return {
    lines,
    query: parameters.length === 0 ? null : parameters.join('&'),
    certificate: places.some((place) => place.in === 'connection'),
  };
}

function withAuthorization(shown: Shown, { headers }: Exchange): Shown {
  const { name } = AUTHORIZATION;
  if (linesNamed(shown.lines, name) !== null) return shown;
  return { ...shown, lines: [...shown.lines, ...(linesNamed(headers, name) ?? [])] };
}

function firstOf<T>(sources: readonly Source[], look: (source: Source) => T | null): T | null {
  for (const source of sources) {
    const found = look(source);
    if (found !== null) return found;
  }
  return null;
}

/** Header lines, or parameters of a query, as they came. */
function standingIn({ in: kind, name }: Place, { headers, query }: Source): Headers | string | null {
  switch (kind) {
    case 'header':
      return linesNamed(headers, name);
    case 'cookie':
      return cookiesNamed(headers, name);
    case 'query':
      return query === null ? null : keepParameters(query, (one) => one === name);
    case 'connection':
      return null;
  }
}

function linesNamed(headers: Headers, name: string): Headers | null {
  const lines: Headers = [];
  for (let i = 0; i < headers.length; i += 2)
    if (sameName(headers[i]!, name)) lines.push(headers[i]!, headers[i + 1]!);
  return lines.length === 0 ? null : lines;
}

function cookiesNamed(headers: Headers, name: string): Headers | null {
  const lines = linesNamed(headers, 'cookie');
  if (lines === null) return null;
  filterCookies(lines, (one) => one === name);
  return lines.length === 0 ? null : lines;
}
