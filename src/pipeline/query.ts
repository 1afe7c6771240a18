import { keepParameters, parameterName } from '../http/query.ts';

/**
 * Queries as they stand in a request target: parameters are looked at by their decoded names, and those that
 * stay keep the bytes they came in. A query is the text behind `?`; null where there is no `?`.
 */

/** Leaves the parameters whose decoded name is in `only`; null where none is left. */
export function filterQuery(query: string | null, only: ReadonlySet<string>): string | null {
  if (query === null) return null;
  return keepParameters(query, (name) => only.has(name));
}

/**
 * The query a route sends: its own first, then the client's without the parameters that the route's own names
 * (RFC 3986 gives them no order, but the first of two counts for many services).
 *
 * @param names The decoded names in `own`, where the caller has them at hand.
 */
export function joinQuery(
  own: string | null,
  client: string | null,
  names: ReadonlySet<string> | null = null,
): string | null {
  if (own === null) return client;
  if (client === null || client === '') return own;
  const taken = names ?? parameterNames(own);
  const rest = keepParameters(client, (name) => !taken.has(name));
  if (rest === null) return own;
  return own === '' ? rest : `${own}&${rest}`;
}

/** The decoded name of each parameter. */
export function parameterNames(query: string): ReadonlySet<string> {
  const names = new Set<string>();
  if (query === '') return names;
  for (const parameter of query.split('&')) names.add(parameterName(parameter));
  return names;
}
