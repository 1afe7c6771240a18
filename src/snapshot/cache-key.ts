import { createHash } from 'node:crypto';
import { carriedKey, permissionSet, subjectKey } from '../auth/index.ts';
import { compileQuery, type Keyed, type KeyOf } from '../cache/index.ts';
import type { Expression, RouteCacheConfig } from '../config/model.ts';
import {
  compileExpression,
  EvaluationFailure,
  type Program,
  readsPartOf,
  type Scope,
  toJson,
  type Value,
} from '../expression/index.ts';
import { filterCookies } from '../http/cookies.ts';
import type { Exchange } from '../http/exchange.ts';
import { getHeaders, getJoined, type Headers } from '../http/headers.ts';
import { clientAuthority, forwardedFor } from '../pipeline/index.ts';
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
  const varying = vary === null ? null : compileVary(vary, scope);
  const alone = varying === null && !own && !key.body && !carried;
  const plain = key.headers.length + key.cookies.length === 0 && alone;
  return (exchange): Keyed => {
    const authority = authorityOf(exchange);
    const query = filter === null ? exchange.query : filter(exchange.query);
    const { scheme, path } = exchange;
    const url =
      query === null ? `${scheme}://${authority}${path}` : `${scheme}://${authority}${path}?${query}`;
    if (plain) return { key: place + url, url, authority, query };
    const added = addedTo(exchange, key, varying, own, carried);
    return { key: added === null ? null : `${place}${url}\0${added}`, url, authority, query };
  };
}

/** `vary`, and what is known of it beforehand. */
interface Vary {
  readonly program: Program;
  /** A list that stands in the expression names places, not members: its order tells them apart. */
  readonly listed: boolean;
  /** Two providers may know two people by one name. */
  readonly ofProvider: boolean;
  readonly ofSubject: boolean;
}

function compileVary(vary: Expression, scope: Scope): Vary {
  const program = compileExpression(vary, scope, { pure: true });
  return {
    program,
    listed: typeof vary === 'string' && vary.trimStart().startsWith('['),
    ofProvider: readsPartOf(program.mentions, 'auth'),
    ofSubject: program.mentions.has('auth.subject'),
  };
}

/** What the route adds to the key; null where a part of it has no value. */
function addedTo(
  exchange: Exchange,
  key: RouteCacheConfig['key'],
  vary: Vary | null,
  own: boolean,
  carried: boolean,
): string | null {
  const parts: unknown[] = key.headers.map((name) => headerAsSent(exchange, name));
  for (const name of key.cookies) parts.push(cookieAsSent(exchange.headers, name));
  const { identity } = requestVariables(exchange);
  if (vary !== null) {
    const value = varied(exchange, vary);
    if (value === null) return null;
    parts.push(value, vary.ofProvider ? (identity?.provider ?? null) : null);
    if (vary.ofSubject) parts.push(identity === null ? [] : permissionSet(identity));
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

/** Of X-Forwarded-For what the service gets: a client that isn't trusted has no say in it, and its address stands there. */
function headerAsSent({ headers, origin, trusted }: Exchange, name: string): string | null {
  const own = getJoined(headers, name);
  return name === 'x-forwarded-for' ? forwardedFor(own, origin.address, trusted) : (own ?? null);
}

/** A cookie in the very bytes in which the service gets it: what stands in quotes may mean another thing to it. */
function cookieAsSent(headers: Headers, name: string): string[] {
  const own = headers.slice();
  filterCookies(own, (other) => other === name);
  return getHeaders(own, 'cookie');
}

/** A list is a set: its order and what stands twice make no new entry. */
function varied(exchange: Exchange, { program, listed }: Vary): string | null {
  try {
    const value = program.evaluate(requestVariables(exchange).strict());
    if (value === null) return null;
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

let lastAsked = '';
let lastScheme = '';
let lastAuthority = '';

/** `host[:port]` in its one spelling. The last is kept: a client asks one host again and again. */
function authorityOf(exchange: Exchange): string {
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
