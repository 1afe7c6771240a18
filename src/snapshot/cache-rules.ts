import type { Answered, AuditRule, CacheRules, CookieRule, RefreshRule } from '../cache/index.ts';
import type { RouteCacheConfig, RouteConfig, TransformConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  ResponseVariables,
  reads,
  readsPartOf,
  type Value,
  type Variables,
} from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Headers, removeLines } from '../http/headers.ts';
import { canonicalTag } from '../util/canonical-tag.ts';
import { jsonOf } from './answered-content.ts';
import { compileKeyOf } from './cache-key.ts';
import type { Scopes } from './scopes.ts';
import { requestVariables } from './variables.ts';

/** What the rules of a route's cache depend on beside its config. */
export interface CacheContext<T> {
  /** Names the route and its side. */
  readonly place: string;
  readonly patience: number;
  readonly transform: T;
  /** Cookies of the gateway's own. */
  readonly ownCookies: readonly string[];
  /** A client's cookies reach no service and no expression. */
  readonly cookieEnds?: boolean;
  /** All that the origin is told of who asks is in the key. */
  readonly carried?: boolean;
  /** A client's Authorization reaches the origin: no guard and no transform takes it off. Default: it does not. */
  readonly passesAuthorization?: boolean;
  /** How hits are compared with the origin. Default: they are not. */
  readonly audit?: AuditRule | null;
  /** How what a change unseats is filled again. Default: when it is asked for. */
  readonly refresh?: RefreshRule | null;
}

/** Compiles what a route says of caching, for one of its sides. */
export function compileCacheRules<T>(
  route: RouteConfig & { cache: RouteCacheConfig },
  scopes: Scopes,
  context: CacheContext<T>,
): CacheRules<T> {
  const { cache } = route;
  const { place, patience, transform, ownCookies, cookieEnds = false } = context;
  const { carried = false, passesAuthorization = false, audit = null, refresh = null } = context;
  const templates = cache.tags.map((tag) =>
    compileTemplate(tag, scopes.response, { pure: true, filled: true }),
  );
  const store = cache.store === null ? null : compileExpression(cache.store, scopes.response, { pure: true });
  const mentions = [...templates, ...(store === null ? [] : [store])].map((one) => one.mentions);
  const ofRequest = templates.filter((one) => !readsPartOf(one.mentions, 'response'));
  const tagsOf = (list: typeof templates, vars: Variables) => tagsFrom(list, vars, cache.maxTags);
  return {
    policy: passesAuthorization ? cache.policy : { ...cache.policy, silentOnAuthorization: false },
    keyOf: compileKeyOf(place, cache, scopes.request, carried),
    body: cache.key.body,
    clean: cache.key.headers.includes('forwarded') ? dropButForwarded : dropSpoofed,
    cookies: cookieEnds && cache.key.cookies.length === 0 ? 'none' : cookieRule(cache),
    ownCookies,
    store:
      store === null
        ? null
        : (exchange, answer) => isTrue(() => store.evaluate(answerVariables(exchange, answer))),
    tags:
      templates.length === 0
        ? null
        : (exchange, answer) => tagsOf(templates, answerVariables(exchange, answer)),
    requestTags: (exchange) => tagsOf(ofRequest, requestVariables(exchange)),
    looksIntoBody: mentions.some((paths) => reads(paths, 'response.body')),
    authenticated: carried ? () => false : (exchange) => exchange.identity !== null,
    patience,
    audit,
    refresh,
    transform,
  };
}

/** Which cookies the origin may see: with a key that names less than the user, none but those in the key. */
function cookieRule({ key, ignoreCookies, private: own, policy }: RouteCacheConfig): CookieRule {
  if (key.cookies.length > 0) return key.cookies;
  if (ignoreCookies) return 'none';
  return policy.owner === 'none' || own ? 'all' : 'none';
}

/** Do these transforms of requests let none of a client's lines of a header through? Its name in lower case. */
export function endsHeader(transforms: readonly TransformConfig[], header: string): boolean {
  const isIt = (name: string) => name.toLowerCase() === header;
  return transforms.some(
    ({ headers: { set, remove, only } }) =>
      remove.some(isIt) || Object.keys(set).some(isIt) || (only !== null && !only.some(isIt)),
  );
}

function tagsFrom(
  templates: readonly { renderAll(vars: Variables): string[] }[],
  vars: Variables,
  most: number,
): string[] | null {
  const tags = new Set<string>();
  try {
    for (const template of templates) {
      const rendered = template.renderAll(vars);
      if (rendered.length === 0) return null;
      for (const tag of rendered) tags.add(canonicalTag(tag));
    }
  } catch (error) {
    if (error instanceof EvaluationFailure) return null;
    throw error;
  }
  return tags.size > most || tags.has('') ? null : [...tags];
}

function isTrue(evaluate: () => Value): boolean {
  try {
    return evaluate() === true;
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

function answerVariables(exchange: Exchange, answer: Answered): Variables {
  return new ResponseVariables(requestVariables(exchange), answer, jsonOf(answer));
}

/**
 * Headers by which a client could change an answer that others get too: they name another host, scheme, path or
 * method than the key does (cache poisoning by unkeyed headers). A trusted proxy may pass on what its client sent.
 */
const SPOOFED =
  /^(?:x[-_](?:forwarded(?:[-_](?!for$)[a-z0-9_-]*)?|original[-_](?:url|uri|host|method)|rewrite[-_]ur[il]|host|http[-_](?:method[a-z0-9_-]*|host[-_]override)|method[-_]override|url[-_]scheme)|front[-_]end[-_]https|forwarded)$/i;

function dropSpoofed(headers: Headers): void {
  removeLines(headers, isSpoofed);
}

/** Where the key holds it, answers to different ones are kept apart. */
function dropButForwarded(headers: Headers): void {
  removeLines(headers, (name) => isSpoofed(name) && name.toLowerCase() !== 'forwarded');
}

function isSpoofed(name: string): boolean {
  const first = name.charCodeAt(0) | 32;
  return (first === 120 || first === 102) && SPOOFED.test(name);
}
