import { hasCookieBeside } from '../../http/cookies.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { type RequestCacheFields, responseDirectives } from '../policy/index.ts';
import type { CacheRules } from './contract.ts';

/** Where nothing says whose the answers are, one who shows who he is gets only what all may have. */
export function isFor<T>(
  rules: CacheRules<T>,
  entry: Entry,
  exchange: Exchange,
  fields: RequestCacheFields,
): boolean {
  return !showsWho(rules, exchange, fields) || isForAll(entry);
}

/** Does a request show who asks, where nothing says whose the answers are? */
export function showsWho<T>(rules: CacheRules<T>, exchange: Exchange, fields: RequestCacheFields): boolean {
  const { owner, silentOnAuthorization } = rules.policy;
  if (owner !== 'none') return silentOnAuthorization && fields.authorization;
  if (fields.authorization || rules.authenticated(exchange)) return true;
  return fields.cookie && rules.cookies !== 'none' && hasCookieBeside(exchange.headers, rules.ownCookies);
}

const forAll = new WeakMap<Entry, boolean>();

/** Its origin says that it may be shared, whoever asks (RFC 9111 §3.5). */
function isForAll(entry: Entry): boolean {
  let known = forAll.get(entry);
  if (known === undefined) {
    const { public: everyone, mustRevalidate, sMaxage } = responseDirectives(entry.headers);
    known = everyone || mustRevalidate || sMaxage !== null;
    forAll.set(entry, known);
  }
  return known;
}
