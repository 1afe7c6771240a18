import { aggregate } from './aggregate.ts';
import { compress, cors, errors, percentOfMirror, statusKeyComplaint } from './answers.ts';
import { sticky } from './balance.ts';
import {
  type Complaint,
  kindOf,
  leaf,
  list,
  object,
  oneOf,
  oneOrMore,
  onlyOne,
  type Rule,
  record,
  wordOf,
} from './kit.ts';
import { limits } from './limit.ts';
import { retries } from './resilience.ts';
import { auth } from './route-auth.ts';
import { routeCache } from './route-cache.ts';
import { host, someWeightOf, timeout } from './service.ts';
import { requestTransform, respondHeaders, responseTransform } from './transform.ts';
import {
  addressRange,
  boolean,
  expression,
  filledText,
  headerNameComplaint,
  integer,
  json,
  method,
  name,
  none,
  sizeOrNone,
  template,
  text,
  word,
} from './values.ts';

const valueMatch = leaf<string | boolean>(
  "text, '~RE2', true (present) or false (absent)",
  ['text', 'boolean'],
  () => null,
  { type: ['string', 'boolean'] },
);

const anyKey = (key: string): Complaint | null =>
  key === '' ? { code: 'TG_CONFIG_NAME', message: 'a name is missing' } : null;

const match = object('Match', 'match', {
  listener: oneOrMore("a listener's name", name).optional().describe('Only requests that came in there.'),
  host: oneOrMore('a host', filledText).optional().describe('example.com or *.example.com.'),
  path: oneOrMore('a path', filledText)
    .optional()
    .describe(
      "/exact, /prefix/*, /a/{name}, /a/{name:int}, /a/{name~[a-z]+}, /a/{name*}, or '~RE2' of the whole path.",
    ),
  method: oneOrMore('a method', method).optional().describe('GET also takes HEAD.'),
  headers: record('header names with what they must be', valueMatch, headerNameComplaint)
    .optional()
    .describe("Exact text, '~RE2', true (present) or false (absent)."),
  query: record('query parameters with what they must be', valueMatch, anyKey)
    .optional()
    .describe("Exact text, '~RE2', true (present) or false (absent)."),
  cookies: record('cookies with what they must be', valueMatch, anyKey)
    .optional()
    .describe("Exact text, '~RE2', true (present) or false (absent)."),
  ip: oneOrMore('an IP address or CIDR range', addressRange).optional().describe("The client's address."),
  when: expression.optional().describe('CEL over request; a route whose expression fails does not match.'),
  ignoreCase: boolean.optional().describe('Compares paths without case. Default false.'),
});

const destination = {
  service: name.describe('The service that answers.'),
  path: template
    .optional()
    .describe("The path it is asked for; a final /* takes over what the match's rest stood for."),
  method: method.optional().describe('The method it is asked with.'),
};

const weighted = oneOf("a service's name or { service, weight }", [
  name,
  object('WeightedDestination', 'an entry of to', {
    ...destination,
    weight: integer(0, 1_000_000).optional().describe('Its share of the requests; 0 for none. Default 1.'),
  }),
]);

const to = oneOf("a service's name, { service, path, method }, or a weighted list of these", [
  name,
  object('Destination', 'to', destination),
  list('a weighted list of services', weighted),
]);

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5: these end with the head. */
const WITHOUT_CONTENT = [204, 205, 304];
const CONTENTS = ['body', 'json', 'template', 'file'];

const oneContent: Rule = (respond, report) => {
  const given = onlyOne(respond, CONTENTS, report);
  const status = wordOf(respond.status);
  if (given.length > 0 && WITHOUT_CONTENT.includes(Number(status))) {
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [given[0]!],
      atKey: true,
      also: ['status'],
      message: `an answer with status ${status} has no content`,
      advice: `leave out "${given[0]}"`,
    });
  }
};

const respond = object(
  'Respond',
  'respond',
  {
    status: integer(200, 599).optional().describe('Default 200; in onStatus the status that there was.'),
    headers: respondHeaders.optional().describe('Values are templates; a list makes several lines.'),
    body: text.optional().describe('Literal text.'),
    json: json.optional().describe('A JSON value; the texts inside are templates.'),
    template: template.optional().describe('Text with {CEL} inside.'),
    file: filledText.optional().describe('Path of a file, read when the config is loaded.'),
  },
  [oneContent],
  { wrap: 'body', wrapNumber: 'status' },
);

const redirectStatus = leaf<301 | 302 | 303 | 307 | 308 | string>(
  'a redirect status',
  ['number'],
  (value) => {
    if ([301, 302, 303, 307, 308].includes(value as number)) return null;
    return {
      message: `${value} is not a redirect`,
      advice: 'write 308 or 301 (for good), 307 or 302 (for now), or 303 (ask by GET)',
    };
  },
  { enum: [301, 302, 303, 307, 308] },
);

const somewhereElse: Rule = (redirect, report) => {
  const parts = ['scheme', 'host', 'path'].filter((key) => key in redirect);
  if ('to' in redirect) {
    onlyOne(redirect, ['to', ...parts], report, 'write the whole URL in "to", or only the parts that change');
  } else if (parts.length === 0) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this redirect leads nowhere',
      advice: 'say to: URL, or which of scheme, host and path change',
    });
  }
};

const redirect = object(
  'Redirect',
  'redirect',
  {
    to: template.optional().describe('The whole URL, without the query of the request.'),
    scheme: template.optional().describe('Stays as it was where nothing is said.'),
    host: template.optional().describe('Stays as it was where nothing is said.'),
    path: template.optional().describe('Stays as it was where nothing is said; the query stays too.'),
    status: redirectStatus.optional().describe('Default 308.'),
  },
  [somewhereElse],
  { wrap: 'to', wrapNumber: 'to: URL, status' },
);

const oneAnswer: Rule = (entry, report) => {
  const given = onlyOne(entry, ['to', 'respond', 'redirect'], report, 'make two entries of a list');
  if (given.length === 0) {
    const advice = 'say to: SERVICE, respond or redirect';
    report({ code: 'TG_CONFIG_MISSING', path: [], message: 'this says nothing to answer with', advice });
  }
};

const fallback = oneOf("a service's name or { service, path, method }", [
  name,
  object('Destination', 'to', destination),
]);

const statusAction = object(
  'StatusAction',
  'an entry of onStatus',
  {
    to: fallback.optional().describe('Another service, asked in its place; only for safe methods.'),
    respond: respond
      .optional()
      .describe('An answer of its own; without a status it keeps the one there was.'),
    redirect: redirect.optional().describe('Sends the client elsewhere.'),
    from: word(['service']).optional().describe('service: only for statuses that the service gave.'),
  },
  [oneAnswer],
);

/** A status that auth, limits or parsing make is no reason to ask another service. */
const ownStatuses: Rule = (onStatus, report) => {
  for (const [key, entry] of Object.entries(onStatus)) {
    const [first, last = first] = key.endsWith('xx') ? [`${key[0]}00`, `${key[0]}99`] : key.split('-');
    const held = ['401', '403', '429'].find((status) => status >= first! && status <= last!);
    if (held === undefined) continue;
    const entries = Array.isArray(entry) ? entry : [entry];
    entries.forEach((one: unknown, index) => {
      if (kindOf(one) !== 'object') return;
      const { to, from } = one as Record<string, unknown>;
      if (to === undefined || from === 'service') return;
      report({
        code: 'TG_CONFIG_CONFLICT',
        path: Array.isArray(entry) ? [key, index, 'to'] : [key, 'to'],
        atKey: true,
        message: `a ${held} of the gateway itself must not be asked again elsewhere`,
        advice: 'say from: service beside it, or answer with respond or redirect',
      });
    });
  }
};

const onStatus = oneOf("statuses such as '500-504' with what answers in their place, or none", [
  record(
    'statuses with what answers in their place',
    oneOrMore('{ to }, { respond } or { redirect }', statusAction),
    statusKeyComplaint,
    [ownStatuses],
  ),
  none,
]);

const mirror = oneOf('{ to, percent }, or none', [
  object('Mirror', 'mirror', {
    to: fallback.describe('The service that gets the copies.'),
    percent: percentOfMirror
      .optional()
      .describe('Share of the requests that are copied: 10 or 10%. Default 100%.'),
  }),
  none,
]);

const shared = {
  auth: auth.optional().describe('Who may use it, and what they must be allowed. Default: everyone.'),
  cache: routeCache
    .optional()
    .describe('Keeps answers: true by RFC 9111 alone, or with what the route says itself.'),
  cors: cors.optional().describe('Which pages of other origins may use it.'),
  compress: compress.optional().describe('Compresses answers where it is worth it. Default off.'),
  errors: errors.optional().describe("Shapes the gateway's own errors."),
  onStatus: onStatus.optional().describe('What answers in the place of certain statuses.'),
  mirror: mirror.optional().describe('Sends copies of requests elsewhere; they change nothing.'),
  timeout: timeout.optional().describe("Time limits; the route's win over the service's."),
  retries: retries.optional().describe("What is tried again, in place of the service's."),
  host: host
    .optional()
    .describe("The Host that the service sees: client, service (the url's) or a template."),
  request: oneOf('transforms of the request, or none', [requestTransform, none])
    .optional()
    .describe('Transforms of the request on its way to the service.'),
  response: oneOf('transforms of the response, or none', [responseTransform, none])
    .optional()
    .describe('Transforms of each answer as it goes out.'),
  sticky: sticky.optional().describe('Keeps a client on its side of a weighted list.'),
  limit: limits.optional().describe('How many requests may come (429).'),
  priority: oneOf('a whole number from 0 to 100, or none', [integer(0, 100), none])
    .optional()
    .describe('Above 0: its requests are shed last where there is too much to do (overload). Default 0.'),
  maxBody: sizeOrNone.optional().describe('Largest request body (413). Default none.'),
};

const ACTIONS = ['to', 'aggregate', 'respond', 'redirect'];

const oneAction: Rule = (route, report) => {
  const given = onlyOne(route, ACTIONS, report, 'a route does one thing: keep one of them');
  if (given.length === 0) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this route does nothing',
      advice: 'say to: SERVICE, aggregate, respond or redirect',
    });
  }
};

const stickyBesideList: Rule = (route, report) => {
  if (!('sticky' in route) || route.sticky === 'none' || Array.isArray(route.to)) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['sticky'],
    atKey: true,
    message: '"sticky" stands beside a weighted list only',
    advice: 'to keep a client on a target of one service, say balance: { cookie: NAME } there',
  });
};

export const route = object(
  'Route',
  'a route',
  {
    match: oneOf('a path or { path, method, … }', [filledText, match]).describe(
      'Which requests it takes; {} for all.',
    ),
    to: to.optional().describe("A service's name, { service, path, method }, or a weighted list of these."),
    aggregate: aggregate.optional().describe('Asks several services, and answers with one answer.'),
    respond: respond.optional().describe('An answer of its own.'),
    redirect: redirect.optional().describe('Sends the client elsewhere.'),
    ...shared,
  },
  [oneAction, someWeightOf, stickyBesideList],
  { wrap: 'match' },
);

export const defaults = object('Defaults', 'defaults', shared);
