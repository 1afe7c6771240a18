import { durationError } from '../../util/duration.ts';
import { nearest } from '../../util/suggest.ts';
import { share } from './answers.ts';
import { type Complaint, leaf, list, object, oneOf, oneOrMore, type Rule, record } from './kit.ts';
import {
  boolean,
  cookieName,
  duration,
  expression,
  FILLED,
  type Filled,
  headerName,
  integer,
  responseExpression,
  responseTemplate,
  size,
  word,
} from './values.ts';

const IGNORABLE = ['no-store', 'no-cache', 'private', 'vary'] as const;
const CACHEABLE_METHODS = ['GET', 'HEAD', 'POST'] as const;

const isTrue = (value: unknown): boolean => value === true || value === 'true';
const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
const entriesOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** A status that can be stored: final, whole, and an answer of its own. */
function ttlKeyComplaint(key: string): Complaint | null {
  const code = 'TG_CONFIG_VALUE';
  if (key === 'default') return null;
  if (key === '206' || key === '304') {
    const what = key === '206' ? 'a part of the content' : 'no answer of its own';
    const advice = 'remove it: what is stored is the 200 that it belongs to';
    return { code, message: `${key} is ${what}, and is never stored`, advice };
  }
  if (/^[2-5]\d\d$/.test(key)) return null;
  if (/^1\d\d$/.test(key))
    return { code, message: `${key} is an interim answer, which is never stored`, advice: 'remove it' };
  if (/^[2-5]xx$/i.test(key) || /^[2-5]\d\d-[2-5]\d\d$/.test(key)) {
    const advice = 'name each status, or say default: DURATION for all that may be kept so';
    return { code, message: `"${key}" is a range, and a lifetime is given to one status`, advice };
  }
  const others = 'write a status such as 404, or default: DURATION for the others';
  const advice = nearest(key, ['default']) === null ? others : 'did you mean "default"?';
  return { code, message: `"${key}" is not a status`, advice };
}

const ttl = oneOf('a duration, or statuses with their durations', [
  duration,
  record('statuses with their durations', duration, ttlKeyComplaint, [
    (ttl, report) => {
      if (Object.keys(ttl).length > 0) return;
      const advice = 'write ttl: 5m, or ttl: { 200: 5m, 404: 1m }';
      report({ code: 'TG_CONFIG_VALUE', path: [], message: 'this names no lifetime', advice });
    },
  ]),
]);

/** A parameter's name as it is after decoding; `*` in a glob stands for any text. */
const parameterName = leaf<string>(
  'the name of a query parameter',
  ['text'],
  (value) => {
    if (value === '') return { message: 'a name is missing', advice: 'write one such as page' };
    const found = /[&=#?]/.exec(String(value))?.[0];
    if (found === undefined) return null;
    return { message: `"${value}" cannot be the name of a parameter`, advice: `it ends before ${found}` };
  },
  { type: 'string', minLength: 1 },
);

const query = oneOf('a list of parameter names, or { ignore, sort }', [
  list('a list of parameter names', parameterName),
  object('CacheKeyQuery', 'query', {
    ignore: oneOrMore("a parameter's name, or utm_* for all that begin so", parameterName)
      .optional()
      .describe('Parameters that are neither in the key nor sent on; * stands for any text.'),
    sort: boolean.optional().describe('Their order makes no other entry. Default false.'),
  }),
]);

/** Of one connection or one attempt, or in the key already. */
const NEVER_IN_KEY: Readonly<Record<string, string>> = {
  cookie: 'say key: { cookies: [NAME] }: what names the user must be told from what does not',
  host: 'the host is in the key already',
  connection: 'it is about one connection alone',
  'transfer-encoding': 'it is about one connection alone',
  'content-length': 'say key: { body: true } for the body',
  range: 'ranges are cut from the stored whole',
  'cache-control': 'it says what the client wants of caches',
};

const keyHeaders: Rule = (key, report) => {
  if (!Array.isArray(key.headers)) return;
  key.headers.forEach((name: unknown, index) => {
    const lower = typeof name === 'string' ? name.toLowerCase() : '';
    if (!Object.hasOwn(NEVER_IN_KEY, lower)) return;
    report({
      path: ['headers', index],
      message: `"${name}" has no place in the key`,
      advice: NEVER_IN_KEY[lower]!,
    });
  });
};

const key = object(
  'CacheKey',
  'key',
  {
    query: query.optional().describe('Parameters that count. Default: the whole query as it came.'),
    headers: list('a list of header names', headerName)
      .optional()
      .describe('Headers that count, beside those that the origin names in Vary.'),
    cookies: list('a list of cookie names', cookieName)
      .optional()
      .describe('Cookies that count; all others are not sent on.'),
    body: boolean.optional().describe('A hash of the body, up to 64 KiB, counts. Default false.'),
  },
  [keyHeaders],
);

const conflict = (path: string, also: string, message: string, advice: string) => ({
  code: 'TG_CONFIG_CONFLICT',
  path: [path],
  atKey: true,
  also: [also],
  message,
  advice,
});

/** `shared` says that all get the same, `private` that each gets their own. */
const sharedOrPrivate: Rule = (cache, report) => {
  if (!isTrue(cache.private) || !isTrue(cache.shared)) return;
  const advice = 'keep shared where the answer is the same for all who pass the guard, private where not';
  report(conflict('shared', 'private', '"private" and "shared" exclude each other', advice));
};

/** What is filled in the background is asked for in nobody's name. */
const refreshForMany: Rule = (cache, report) => {
  if (!isTrue(cache.refresh) || !isTrue(cache.private)) return;
  const message = '"refresh" asks in nobody\'s name, and with "private" each answer is one subject\'s own';
  report(conflict('refresh', 'private', message, 'keep one of them'));
};

const cookiesOrNone: Rule = (cache, report) => {
  const { cookies } = (cache.key ?? {}) as { cookies?: unknown };
  if (!isTrue(cache.ignoreCookies) || !isFilled(cookies)) return;
  const advice = 'remove ignoreCookies: cookies that key does not name are not sent on as it is';
  const message = '"ignoreCookies" drops the cookies that "key" counts by';
  report({ ...conflict('ignoreCookies', 'key', message, advice), also: ['key', 'cookies'] });
};

/** A stored Set-Cookie is handed to everyone who is answered from the entry. */
const storedCookies: Rule = (cache, report) => {
  if (cache.setCookie !== 'store') return;
  const { cookies } = (cache.key ?? {}) as { cookies?: unknown };
  if ('vary' in cache || isTrue(cache.private) || isFilled(cookies)) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['setCookie'],
    message: "one user's cookie would be given to all the others: nothing in the key names the user",
    advice: 'say setCookie: drop, or private: true, vary: CEL or key: { cookies: [NAME] } beside it',
  });
};

const methodsThatStore: Rule = (cache, report) => {
  if (!('methods' in cache)) return;
  const methods = entriesOf(cache.methods);
  const { body } = (cache.key ?? {}) as { body?: unknown };
  if (methods.includes('POST') && !isTrue(body)) {
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: ['methods'],
      message: 'answers to POST depend on the body, and the key does not hold it',
      advice: 'say key: { body: true } beside it, or leave POST out',
    });
  }
  if (methods.length > 0 && methods.every((method) => method === 'HEAD')) {
    report({
      path: ['methods'],
      message: 'an answer to HEAD has no content, so nothing would ever be stored',
      advice: 'write methods: [GET, HEAD]',
    });
  }
};

const overrideOfSomething: Rule = (cache, report) => {
  if (!isTrue(cache.override) || 'ttl' in cache) return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: ['override'],
    atKey: true,
    message: '"override" puts the lifetimes of the route before those of the origin, and there are none',
    advice: 'say ttl: DURATION beside it',
  });
};

/** A member's name, or the last names of its path. */
const memberPath = leaf<string>(
  "a member's name such as updatedAt, or meta.requestId",
  ['text'],
  (value) => {
    if (
      String(value)
        .split('.')
        .every((name) => name !== '')
    )
      return null;
    const message = value === '' ? 'a name is missing' : `a name is missing in "${value}"`;
    return { message, advice: 'write a name such as updatedAt, or names with dots between: meta.requestId' };
  },
  { type: 'string', minLength: 1 },
);

const ignoredByAudit: Rule = (cache, report) => {
  if (!('auditIgnore' in cache) || 'audit' in cache) return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: ['auditIgnore'],
    atKey: true,
    message: '"auditIgnore" leaves members out of a comparison, and nothing is compared',
    advice: 'say audit: 0.1% beside it',
  });
};

/** A switch; what people write in its place gets a word of its own. */
const onOrOff = leaf<boolean | 'none' | Filled>(
  'true, { ttl, tags, … }, or none',
  ['boolean', 'text'],
  (value) => {
    if (typeof value === 'boolean' || value === 'none') return null;
    const text = String(value);
    const message = `"${text}" is not true, { ttl, tags, … }, or none`;
    if (durationError(text) === null) return { message, advice: `write { ttl: ${text} }` };
    if (/^(?:on|yes|enabled)$/i.test(text)) return { message, advice: 'write true' };
    return { message, advice: 'write none to keep nothing' };
  },
  { anyOf: [{ type: 'boolean' }, { const: 'none' }, { type: 'string', pattern: FILLED }] },
);

export const routeCache = oneOf('true, { ttl, tags, … }, or none', [
  onOrOff,
  object(
    'RouteCache',
    'cache',
    {
      ttl: ttl
        .optional()
        .describe(
          'Lifetime where the origin names none. A duration holds for 200, 203, 301, 308, 404, 410; { 200: 7d, 404: 1m, default: 10s } says it by status, default for all others but 401, 403, 407, 429 and 5xx.',
        ),
      override: boolean
        .optional()
        .describe(
          "The route's lifetimes win over the origin's; no-store, no-cache, private, Set-Cookie and Vary: * still hold. Default false.",
        ),
      ignore: oneOrMore('no-store, no-cache, private or vary', word(IGNORABLE))
        .optional()
        .describe(
          'What the origin says and the route knows better. Fields of an ignored Vary are taken off the request, but for Accept-Encoding.',
        ),
      setCookie: word(['refuse', 'drop', 'store'])
        .optional()
        .describe(
          'An answer with Set-Cookie: refuse does not store it, drop stores and sends it without, store keeps it as it is. Default refuse.',
        ),
      staleWhileRevalidate: duration
        .optional()
        .describe(
          'How long a stale answer is given while it is asked for anew, where the origin says nothing (RFC 5861).',
        ),
      staleIfError: duration
        .optional()
        .describe(
          'How long a stale answer stands in for a failing origin, where the origin says nothing (RFC 5861).',
        ),
      methods: oneOrMore('GET, HEAD or POST', word(CACHEABLE_METHODS))
        .optional()
        .describe(
          'Methods answered from the cache; POST only with key: { body: true }. Default [GET, HEAD].',
        ),
      key: key
        .optional()
        .describe('What tells entries apart, beside route, scheme, host, path and class of method.'),
      vary: expression
        .optional()
        .describe(
          'CEL that adds a value to the key (a tenant, a subject). Where it is null or fails, nothing is stored.',
        ),
      shared: boolean
        .optional()
        .describe('The answer is the same for all who pass the guard. Default false.'),
      private: boolean
        .optional()
        .describe(
          'Adds auth.subject to the key, stores what the origin calls private, and says private to the client. Default false.',
        ),
      ignoreCookies: boolean
        .optional()
        .describe(
          'Cookies are dropped before the origin, so that they need not be in the key. Default false.',
        ),
      store: responseExpression
        .optional()
        .describe('CEL over response, request, params and auth: stored only where true.'),
      tags: oneOrMore('text, with {CEL} where something is filled in', responseTemplate)
        .optional()
        .describe('Names under which entries are purged; a list in a template makes a tag of each element.'),
      maxTags: integer(1, 100_000)
        .optional()
        .describe('With more tags an answer is not stored. Default 1000.'),
      maxSize: size.optional().describe('Largest body that is stored. Default 10MiB.'),
      refresh: boolean
        .optional()
        .describe(
          'An entry that is asked for often (three times within a minute) and was unseated by a change or purge is filled again at once, in the background. Default false.',
        ),
      audit: share('remove the key')
        .optional()
        .describe(
          'Of this share of the hits the origin is asked too, once the answer is on its way, and the two are compared: mismatches are counted and logged. Default none.',
        ),
      auditIgnore: oneOrMore("a member's name such as updatedAt, or meta.requestId", memberPath)
        .optional()
        .describe(
          'Members of a JSON answer that audit does not compare, at any depth: updatedAt, or meta.requestId for the one in meta.',
        ),
      ignoreClientDirectives: boolean
        .optional()
        .describe("The client's Cache-Control and Pragma change nothing. Default false."),
    },
    [
      sharedOrPrivate,
      refreshForMany,
      cookiesOrNone,
      storedCookies,
      methodsThatStore,
      overrideOfSomething,
      ignoredByAudit,
    ],
  ),
]);
