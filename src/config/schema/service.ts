import { balance } from './balance.ts';
import { discover } from './discover.ts';
import { list, object, oneOf, onlyOne, type Rule, wordOf } from './kit.ts';
import { breaker, health, retries } from './resilience.ts';
import { serviceAuth } from './service-auth.ts';
import { serviceTls } from './service-tls.ts';
import { schemeOf, url } from './service-url.ts';
import { requestTransform, responseTransform } from './transform.ts';
import { bound, duration, integer, none, template } from './values.ts';

const weight = integer(0, 1_000_000);

const target = oneOf('a URL or { url, weight }', [
  url,
  object('Target', 'a target', {
    url: url.describe('Where it listens.'),
    weight: weight.optional().describe('Its share of the requests; 0 for none. Default 1.'),
  }),
]);

export const timeout = oneOf('a duration, none, or { response, connect, firstByte, idle, total }', [
  bound,
  object('Timeout', 'timeout', {
    response: bound
      .optional()
      .describe('From the end of the request to the head of the answer, tries included. Default 30s.'),
    connect: bound.optional().describe('One connection attempt, TLS included. Default 1s.'),
    firstByte: bound.optional().describe('One try, until its head. Default none.'),
    idle: bound.optional().describe('Longest pause after the head. Default 60s.'),
    total: bound.optional().describe('The whole exchange with its body. Default none.'),
  }),
]);

/** The Host that a service sees. */
export const host = template;

const oneSourceOfTargets: Rule = (service, report) => {
  const [listed] = onlyOne(service, ['url', 'targets'], report, 'move the url into the list of targets');
  const ways = listed === undefined ? ['discover'] : [listed, 'discover'];
  if (onlyOne(service, ways, report).length === 0) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this service has no "url"',
      advice: 'say where it is: { url: http://127.0.0.1:4001 }, or targets: a list of URLs',
    });
  }
};

/** The URL of a target as it is written, of either form; '' where it is none. */
function urlTextOf(target: unknown): string {
  const url =
    typeof target === 'object' && target !== null && 'url' in target
      ? (target as { url: unknown }).url
      : target;
  return typeof url === 'string' ? url : '';
}

/** The scheme of each target that is written down. */
function schemesOf(service: Parameters<Rule>[0]): (string | null)[] {
  const listed: unknown[] = Array.isArray(service.targets) ? service.targets : [service.url];
  return listed.map((target) => schemeOf(urlTextOf(target)));
}

/** `tls` is for https and h2: beside Unix sockets alone it would be left unused. */
const tlsForSomeone: Rule = (service, report) => {
  if (!('tls' in service)) return;
  const schemes = schemesOf(service);
  const unix = schemes.indexOf('unix');
  if (unix < 0 || schemes.some((scheme) => scheme === 'https' || scheme === 'h2')) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['tls'],
    atKey: true,
    also: Array.isArray(service.targets) ? ['targets', unix] : ['url'],
    message: 'there is no TLS on a Unix socket',
    advice: 'remove it',
  });
};

/** A connection of HTTP/2 carries many requests as it is. */
const pipeliningForSomeone: Rule = (service, report) => {
  if (!('pipelining' in service)) return;
  const schemes = schemesOf(service);
  const http2 = schemes.findIndex(isHttp2);
  if (http2 < 0 || !schemes.every(isHttp2)) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['pipelining'],
    atKey: true,
    also: Array.isArray(service.targets) ? ['targets', http2] : ['url'],
    message: 'pipelining is for HTTP/1.1: in HTTP/2 a connection carries many requests as it is',
    advice: 'remove it',
  });
};

function isHttp2(scheme: string | null): boolean {
  return scheme === 'h2c' || scheme === 'h2';
}

const someWeight: Rule = (service, report) => {
  const targets = service.targets;
  if (!Array.isArray(targets)) return;
  if (targets.length === 0)
    report({
      code: 'TG_CONFIG_VALUE',
      path: ['targets'],
      message: 'this list is empty',
      advice: 'give it at least one URL',
    });
  else if (allZero(targets))
    report({
      code: 'TG_CONFIG_VALUE',
      path: ['targets'],
      message: 'all weights are 0, so no target would be used',
      advice: 'give at least one a weight above 0',
    });
};

/** No entry of a weighted list can be chosen. */
function allZero(entries: readonly unknown[]): boolean {
  return entries.every(
    (entry) =>
      typeof entry === 'object' && entry !== null && wordOf((entry as { weight?: unknown }).weight) === '0',
  );
}

/** A weighted `to` has an entry that can be chosen. */
export const someWeightOf: Rule = (route, report) => {
  const to = route.to;
  if (!Array.isArray(to)) return;
  if (to.length === 0)
    report({
      code: 'TG_CONFIG_VALUE',
      path: ['to'],
      message: 'this list is empty',
      advice: 'give it at least one service',
    });
  else if (allZero(to))
    report({
      code: 'TG_CONFIG_VALUE',
      path: ['to'],
      message: 'all weights are 0, so no service would be used',
      advice: 'give at least one a weight above 0',
    });
};

export const service = object(
  'Service',
  'a service',
  {
    url: url
      .optional()
      .describe(
        'Where it listens: http://, https://, h2c:// for HTTP/2 without TLS, h2:// for HTTP/2 with TLS, or unix:/path.sock for a Unix socket. A path stands before the path that the route sends, but for unix:.',
      ),
    targets: list('a list of targets', target).optional().describe('Several places that it listens on.'),
    discover: discover.optional().describe('A name that stands for its targets, in place of url.'),
    balance: balance.optional().describe('Which target is next. Default leastRequests.'),
    timeout: timeout.optional().describe('Time limits; a route may say its own.'),
    host: host
      .optional()
      .describe(
        "The Host it sees: client, service (the url's; localhost for a Unix socket) or a template. Default client.",
      ),
    tls: serviceTls.optional().describe('TLS toward https and h2 targets.'),
    pool: object('Pool', 'pool', {
      connections: integer(1, 100_000)
        .optional()
        .describe(
          'Most connections of a target and worker; of HTTP/2 another is made once all carry as many requests as they may. Default 100.',
        ),
      idle: duration.optional().describe('How long an idle connection is kept. Default 4s.'),
    })
      .optional()
      .describe('Connections to it.'),
    pipelining: integer(1, 1000)
      .optional()
      .describe(
        'Requests in flight on one HTTP/1.1 connection; above 1 only GET and HEAD are sent ahead, and one that was not answered when the connection broke is tried elsewhere once. Default 1.',
      ),
    health: health.optional().describe('When a target is used, and when not.'),
    retries: retries.optional().describe('What is tried again; a route may say its own.'),
    breaker: breaker.optional().describe('Bounds on what is under way, and when the service gets a pause.'),
    request: oneOf('transforms of the request, or none', [requestTransform, none])
      .optional()
      .describe('Transforms of every request to it.'),
    response: oneOf('transforms of the response, or none', [responseTransform, none])
      .optional()
      .describe('Transforms of every answer from it.'),
    auth: serviceAuth.optional().describe("The gateway's own credential, which it shows this service."),
  },
  [oneSourceOfTargets, tlsForSomeone, pipeliningForSomeone, someWeight],
  { wrap: 'url' },
);
