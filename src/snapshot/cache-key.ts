import { createHash } from 'node:crypto';
import { carriedKey, permissionSet, subjectKey } from '../auth/index.ts';
import type { Keyed, KeyOf } from '../cache/index.ts';
import type { RouteCacheConfig } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  type Program,
  type Scope,
  toJson,
  type Value,
} from '../expression/index.ts';
import { filterCookies } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { getHeaders, getJoined, type Headers } from '../http/headers.ts';
import { parameterName } from '../http/query.ts';
import { clientAuthority } from '../pipeline/index.ts';
import { globOf } from '../util/glob.ts';
import { requestVariables } from './variables.ts';

/**
 * Compiles the key of a route's answers: route and side, class of method, scheme, host, path, query, and what the
 * route adds. What stands in it, and nothing else, tells answers apart; so nothing else may reach the origin.
 *
 * @param place Names the route and its side.
 * @param carried All that the origin is told of who asks is in the key.
 */
export function compileKeyOf(
  place: string,
  { key, vary, private: own }: RouteCacheConfig,
  scope: Scope,
  carried = false,
): KeyOf {
  const filter = compileQuery(key.query);
  const program = vary === null ? null : compileExpression(vary, scope, { pure: true });
  const listed = typeof vary === 'string' && vary.trimStart().startsWith('[');
  const alone = program === null && !own && !key.body && !carried;
  const plain = key.headers.length + key.cookies.length === 0 && alone;
  return (exchange): Keyed => {
    const authority = authorityOf(exchange);
    const query = filter === null ? exchange.query : filter(exchange.query);
    const { scheme, path } = exchange;
    const url =
      query === null ? `${scheme}://${authority}${path}` : `${scheme}://${authority}${path}?${query}`;
    if (plain) return { key: place + url, url, authority, query };
    const added = addedTo(exchange, key, program, listed, own, carried);
    return { key: added === null ? null : `${place}${url}\0${added}`, url, authority, query };
  };
}

/** What the route adds to the key; null where a part of it has no value. */
function addedTo(
  exchange: Exchange,
  key: RouteCacheConfig['key'],
  program: Program | null,
  listed: boolean,
  own: boolean,
  carried: boolean,
): string | null {
  const parts: unknown[] = key.headers.map((name) => getJoined(exchange.headers, name) ?? null);
  for (const name of key.cookies) parts.push(cookieAsSent(exchange.headers, name));
  const { identity } = requestVariables(exchange);
  if (program !== null) {
    const value = varied(exchange, program, listed);
    if (value === null) return null;
    // Two providers may know two people by one name.
    const provider = program.mentions.size > 0 && namesAuth(program) ? (identity?.provider ?? null) : null;
    parts.push(value, provider);
    if (program.mentions.has('auth.subject')) parts.push(identity === null ? [] : permissionSet(identity));
  }
  if (own) {
    const who = identity === null ? null : subjectKey(identity);
    if (who === null) return null;
    parts.push(who);
  }
  if (carried && identity !== null) {
    const who = carriedKey(identity);
    if (who === null) return null;
    parts.push(who);
  }
  if (key.body) {
    const { headers, method } = exchange;
    const body = Buffer.isBuffer(exchange.body) ? exchange.body : '';
    parts.push(method === 'HEAD' ? 'GET' : method, createHash('sha256').update(body).digest('base64'));
    // The same bytes mean another thing in another type or coding.
    if (body.length > 0) for (const name of OF_THE_BODY) parts.push(getJoined(headers, name) ?? null);
  }
  return JSON.stringify(parts);
}

const OF_THE_BODY = ['content-type', 'content-encoding'];

/** A cookie in the very bytes in which the service gets it: what stands in quotes may mean another thing to it. */
function cookieAsSent(headers: Headers, name: string): string[] {
  const own = headers.slice();
  filterCookies(own, (other) => other === name);
  return getHeaders(own, 'cookie');
}

function namesAuth({ mentions }: Program): boolean {
  for (const path of mentions) if (path === 'auth' || path.startsWith('auth.')) return true;
  return false;
}

/** A list is a set: its order and what stands twice make no new entry. */
function varied(exchange: Exchange, program: Program, listed: boolean): string | null {
  try {
    const value = program.evaluate(requestVariables(exchange).strict());
    if (value === null) return null;
    // A list that stands in the expression names places, not members: its order tells them apart.
    return Array.isArray(value) && !listed
      ? JSON.stringify(sorted(value.map((one: Value) => toJson(one))))
      : toJson(value);
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

type QueryFilter = (query: string | null) => string | null;

/** All the ways in which routes with these keys file what they keep of an absolute URL. */
export function compileFiledAs(keys: readonly RouteCacheConfig['key'][]): (url: string) => string[] {
  const distinct = new Map(keys.map(({ query }) => [JSON.stringify(query), compileQuery(query)]));
  const filters = [...distinct.values()].filter((filter) => filter !== null);
  return (url) => {
    const mark = url.indexOf('?');
    if (mark < 0) return [url];
    const path = url.slice(0, mark);
    const queries = filters.map((filter) => filter(url.slice(mark + 1)));
    return [url, ...queries.map((query) => (query === null ? path : `${path}?${query}`))];
  };
}

function compileQuery(config: RouteCacheConfig['key']['query']): QueryFilter | null {
  if (config.kind === 'all') return null;
  if (config.kind === 'only') {
    const names = new Set(config.names);
    return (query) => filtered(query, (name) => names.has(name), true);
  }
  const patterns = config.names.map(globOf);
  return (query) => filtered(query, (name) => !patterns.some((pattern) => pattern.test(name)), config.sort);
}

/** Parameters by their decoded names; those that stay keep the bytes they came in. */
function filtered(query: string | null, wanted: (name: string) => boolean, sort: boolean): string | null {
  if (query === null) return null;
  const kept = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => ({ pair, name: parameterName(pair) }))
    .filter(({ name }) => wanted(name));
  if (kept.length === 0) return null;
  // Several of one name stay in their order: it means something to services.
  if (sort) kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return kept.map(({ pair }) => pair).join('&');
}

let lastAsked = '';
let lastScheme = '';
let lastAuthority = '';

/** `host[:port]` in its one spelling. The last is kept: a client asks one host again and again. */
export function authorityOf(exchange: Exchange): string {
  const asked = exchange.trusted ? clientAuthority(exchange, true) : exchange.authority;
  const { scheme } = exchange;
  if (asked === lastAsked && scheme === lastScheme) return lastAuthority;
  const usual = scheme === 'https' ? /:443$/ : /:80$/;
  const authority = asked
    .toLowerCase()
    .replace(usual, '')
    .replace(/\.(?=:|$)/, '');
  lastAsked = asked;
  lastScheme = scheme;
  lastAuthority = authority === '' ? exchange.host : authority;
  return lastAuthority;
}

/** The absolute URL of an exchange, as a client spells it. */
export function urlOf(exchange: Exchange): string {
  const query = exchange.query === null ? '' : `?${exchange.query}`;
  return `${exchange.scheme}://${authorityOf(exchange)}${exchange.path}${query}`;
}
