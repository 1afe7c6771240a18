import type { ProviderConfig } from '../config/model.ts';
import { readCookies } from '../expression/index.ts';
import { filterCookies } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Headers, removeLines, sameName } from '../http/headers.ts';
import { decodeQueryText, keepParameters, parameterName } from '../http/query.ts';
import { foldedName } from '../http/reserved-headers.ts';
import { MASK } from '../util/secret.ts';
import { AMBIGUOUS, type Credential, type Place, type Provider } from './contract.ts';

/** The header that credentials usually stand in. */
export const AUTHORIZATION: Place = { in: 'header', name: 'authorization' };

const API_KEY: Place = { in: 'header', name: 'x-api-key' };

/** The certificate of a client's connection. */
export const CONNECTION: Place = { in: 'connection', name: 'certificate' };

/** What of a provider's config says where it looks. */
export type PlacesConfig = Pick<ProviderConfig, 'kind' | 'from'> & {
  /** Of `forward`. In lower case. */
  readonly requestHeaders?: readonly string[];
};

/** Where the credential of a provider stands. */
export function placesOf({ kind, from, requestHeaders = [] }: PlacesConfig): readonly Place[] {
  if (from !== null) return from;
  if (kind === 'apiKey') return [API_KEY];
  if (kind === 'mtls') return [CONNECTION];
  if (kind === 'forward') return requestHeaders.includes(AUTHORIZATION.name) ? [AUTHORIZATION] : [];
  return [AUTHORIZATION];
}

/** All that a provider finds out by who asks. */
export function credentialPlaces({ places, readHeaders = [] }: Provider): readonly Place[] {
  return [...places, ...readHeaders.map((name): Place => ({ in: 'header', name }))];
}

/** The first of the places in which something stands. One that is filled twice can't be trusted. */
export function readPlaces(
  places: readonly Place[],
  exchange: Exchange,
): Credential | typeof AMBIGUOUS | null {
  for (const place of places) {
    const value = readPlace(place, exchange);
    if (value === AMBIGUOUS) return AMBIGUOUS;
    if (value !== null) return { value, place };
  }
  return null;
}

function readPlace(place: Place, exchange: Exchange): string | typeof AMBIGUOUS | null {
  switch (place.in) {
    case 'header':
      return readHeader(exchange.headers, place.name);
    case 'query':
      return only(queryValues(exchange.query, place.name));
    case 'cookie':
      return only(readCookies(exchange.headers).get(place.name) ?? []);
    case 'connection':
      return null;
  }
}

function readHeader(headers: Headers, name: string): string | typeof AMBIGUOUS | null {
  let found: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!sameName(headers[i]!, name)) continue;
    if (found !== null) return AMBIGUOUS;
    found = headers[i + 1]!;
  }
  return found;
}

function only(values: readonly string[]): string | typeof AMBIGUOUS | null {
  if (values.length > 1) return AMBIGUOUS;
  return values[0] ?? null;
}

function queryValues(query: string | null, name: string): string[] {
  if (query === null || query === '') return [];
  const values: string[] = [];
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals >= 0 && decodeQueryText(pair.slice(0, equals)) === name)
      values.push(decodeQueryText(pair.slice(equals + 1)));
  }
  return values;
}

/** The lines of a head in which credentials stand. */
export function linesOf(places: readonly Place[], headers: Headers): Headers {
  const lines: Headers = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const shows = places.some(
      (place) =>
        (place.in === 'header' && sameName(name, place.name)) ||
        (place.in === 'cookie' && sameName(name, 'cookie')),
    );
    if (shows) lines.push(name, headers[i + 1]!);
  }
  return lines;
}

/** Takes credentials off a request. Headers are found under names that a service may take for theirs. */
export function stripPlaces(places: readonly Place[], exchange: Exchange): void {
  for (const place of places) {
    if (place.in === 'header') removeLike(exchange.headers, place.name);
    else if (place.in === 'cookie') filterCookies(exchange.headers, (name) => name !== place.name);
    else if (place.in === 'query') exchange.query = queryWithout(exchange.query, place.name);
  }
}

/** Takes away every line whose name is `lower`, or could be read as it. In place. */
export function removeLike(headers: Headers, lower: string): void {
  removeLines(headers, (name) => isLike(name, lower));
}

/** `X_User` and `X.User` reach a CGI-like service as `X-User` does. */
function isLike(name: string, lower: string): boolean {
  if (name.length !== lower.length) return false;
  return sameName(name, lower) || foldedName(name) === foldedName(lower);
}

/** The query without one of its parameters, else byte for byte as it was. */
function queryWithout(query: string | null, name: string): string | null {
  return query === null ? null : keepParameters(query, (one) => one !== name);
}

/** A path and query as they may be shown: what stands in one of the places is masked. */
export function maskTarget(target: string, places: readonly Place[]): string {
  const mark = target.indexOf('?');
  const names = places.filter((place) => place.in === 'query').map((place) => place.name);
  if (mark < 0 || names.length === 0) return target;
  const pairs = target.slice(mark + 1).split('&');
  const masked = pairs.map((pair) =>
    names.includes(parameterName(pair)) ? `${pair.split('=', 1)[0]}=${MASK}` : pair,
  );
  return `${target.slice(0, mark)}?${masked.join('&')}`;
}
