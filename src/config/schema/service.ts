import { isIP } from 'node:net';
import type { TargetConfig } from '../model.ts';
import { balance } from './balance.ts';
import { type Complaint, leaf, list, object, oneOf, onlyOne, type Rule } from './kit.ts';
import { NOT_BUILT_VALUES } from './not-built.ts';
import { breaker, health, retries } from './resilience.ts';
import { serviceAuth } from './service-auth.ts';
import { serviceTls } from './service-tls.ts';
import { requestTransform, responseTransform } from './transform.ts';
import { socketPathOf, unixUrlComplaint } from './unix-url.ts';
import { bearerToken, bound, duration, integer, none, template, word } from './values.ts';

export const url = leaf<string>(
  'a URL such as http://127.0.0.1:4001',
  ['text', 'number'],
  (value) => urlComplaint(String(value)),
  { type: 'string' },
);

function urlComplaint(text: string): Complaint | null {
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d)/i.exec(text)?.[1]?.toLowerCase();
  const laterSchemes: readonly string[] = NOT_BUILT_VALUES['Service.url'];
  if (scheme !== undefined && laterSchemes.includes(scheme)) {
    return {
      code: 'TG_CONFIG_NOT_BUILT',
      message: `"${scheme}:" is not built yet`,
      advice: 'in this version it can be http:, https: or unix:',
    };
  }
  if (scheme === undefined) return { message: 'this URL has no scheme', advice: `write "http://${text}"` };
  if (scheme === 'ws' || scheme === 'wss') {
    const advice = `write "${text.replace(/^ws/i, 'http')}": WebSockets pass through http and https services`;
    return { message: `"${scheme}:" is not a scheme of services`, advice };
  }
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'unix') {
    const advice = 'write http:// or https://, or unix:/path for a Unix socket';
    return { message: `"${scheme}:" is not a scheme of services`, advice };
  }
  if (/[{}]/.test(text)) {
    return {
      message: 'a service cannot be chosen by an expression',
      advice: /\$\{\w+\}/.test(text)
        ? 'what comes from the environment is written ${env.NAME}'
        : 'write one route for each service, with a condition in match',
    };
  }
  if (scheme === 'unix') return unixUrlComplaint(text);
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:\/\/[^/]/i.test(text))
    return { message: `this is not a valid URL`, advice: badUrlAdvice(text) };
  if (parsed.username !== '' || parsed.password !== '') {
    return {
      message: 'a user and password in the URL would not be sent',
      advice: 'say request: { headers: { set: { authorization: … } } }',
    };
  }
  if (parsed.search !== '' || parsed.hash !== '' || /[?#]/.test(text)) {
    return {
      message: 'the URL of a service ends with its path',
      advice: 'leave out what begins with ? or #; a query can stand in to.path',
    };
  }
  if (parsed.port === '0')
    return { message: '0 is not a port that can be connected to', advice: 'write a port from 1 to 65535' };
  return null;
}

function badUrlAdvice(text: string): string {
  const port = /^https?:\/\/[^/]*:(\d+)/i.exec(text)?.[1];
  if (port !== undefined && Number(port) > 65_535) return 'a port is a number from 1 to 65535';
  const host = /^https?:\/\/([^/]*)/i.exec(text)?.[1] ?? '';
  if (isIP(host) === 6) return `write IPv6 addresses in brackets: http://[${host}]`;
  return 'write http:// or https://, a host, and a port where it is not the usual one';
}

/** The parts of a URL that `url` finds nothing wrong with. */
export function parseServiceUrl(text: string): Omit<TargetConfig, 'weight'> {
  if (/^unix:/i.test(text)) return { scheme: 'unix', host: socketPathOf(text), port: 0, path: '' };
  const parsed = new URL(text);
  const scheme = parsed.protocol === 'https:' ? 'https' : 'http';
  const port = parsed.port === '' ? (scheme === 'https' ? 443 : 80) : Number(parsed.port);
  return {
    scheme,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port,
    path: parsed.pathname.replace(/\/+$/, ''),
  };
}

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

/** `tls` is for https: beside Unix sockets alone it would be left unused. */
const tlsForSomeone: Rule = (service, report) => {
  if (!('tls' in service)) return;
  const listed: unknown[] = Array.isArray(service.targets) ? service.targets : [service.url];
  const urls = listed.map(urlTextOf);
  const unix = urls.findIndex((text) => /^unix:/i.test(text));
  if (unix < 0 || urls.some((text) => /^https:/i.test(text))) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['tls'],
    atKey: true,
    also: Array.isArray(service.targets) ? ['targets', unix] : ['url'],
    message: 'there is no TLS on a Unix socket',
    advice: 'remove it',
  });
};

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
export function allZero(entries: readonly unknown[]): boolean {
  return entries.every(
    (entry) =>
      typeof entry === 'object' && entry !== null && String((entry as { weight?: unknown }).weight) === '0',
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

const dnsName = leaf<string>(
  'a name that DNS knows',
  ['text'],
  (value) => {
    if (
      /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?$/.test(String(value))
    )
      return null;
    return {
      message: `"${value}" is not a name of DNS`,
      advice: 'write it without a scheme, port or path: shop.internal',
    };
  },
  { type: 'string' },
);

/** A service of Consul, as it stands in the path of its API. */
const consulName = leaf<string>(
  'the name of a service',
  ['text'],
  (value) =>
    /^(?!\.{1,2}$)[^\s\p{C}]{1,255}$/u.test(String(value))
      ? null
      : {
          message: 'this is not the name of a service',
          advice: 'write it as `consul catalog services` shows it',
        },
  { type: 'string' },
);

const consulUrl = leaf<string>(
  'a URL such as http://127.0.0.1:8500',
  ['text'],
  (value) => consulUrlComplaint(String(value)),
  { type: 'string' },
);

function consulUrlComplaint(text: string): Complaint | null {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed !== null && parsed.username + parsed.password !== '')
    return { message: 'a user and password in the URL would not be sent', advice: 'say token: TOKEN' };
  if (parsed !== null && parsed.search + parsed.hash !== '')
    return { message: 'the URL of Consul ends with its path', advice: 'leave out what begins with ? or #' };
  return urlComplaint(text);
}

/** Which keys go with which source. */
const OF_SOURCE = { dns: ['type', 'port'], consul: ['name', 'token', 'tls'] } as const;

const oneSource: Rule = (discover, report) => {
  const [source, other] = onlyOne(discover, ['dns', 'consul'], report) as (keyof typeof OF_SOURCE)[];
  if (other !== undefined) return;
  if (source === undefined) {
    const advice = 'say dns: NAME, or consul: URL and name: NAME';
    return report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'discover asks nobody',
      advice,
    });
  }
  const foreign = source === 'dns' ? OF_SOURCE.consul : OF_SOURCE.dns;
  for (const key of foreign) {
    if (!(key in discover)) continue;
    const message = `"${key}" does not go with "${source}"`;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: [key],
      atKey: true,
      also: [source],
      message,
      advice: 'remove it',
    });
  }
  if (source === 'consul' && !('name' in discover))
    report({
      code: 'TG_CONFIG_MISSING',
      path: ['consul'],
      atKey: true,
      message: '"name" is missing beside "consul"',
      advice: 'add "name": the service as Consul knows it',
    });
};

const portOfSrv: Rule = (discover, report) => {
  if (!('dns' in discover) || discover.type !== 'SRV' || !('port' in discover)) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['port'],
    atKey: true,
    also: ['type'],
    message: 'SRV records bring their own ports',
    advice: 'remove it',
  });
};

const discover = object(
  'Discover',
  'discover',
  {
    dns: dnsName.optional().describe('The name, asked for again as its answers run out.'),
    type: word(['A', 'SRV'])
      .optional()
      .describe('A: its addresses. SRV: hosts, ports and weights. Default A.'),
    scheme: word(['http', 'https']).optional().describe('Default http.'),
    port: integer(1, 65_535).optional().describe('Of addresses. Default 80, or 443 for https.'),
    consul: consulUrl
      .optional()
      .describe('The HTTP API of Consul, in place of dns: the instances whose checks pass are the targets.'),
    name: consulName.optional().describe('The service, as Consul knows it.'),
    token: bearerToken.optional().describe('For Consul: may read the service and its nodes. Default none.'),
    tls: serviceTls.optional().describe('TLS toward an https Consul.'),
  },
  [oneSource, portOfSrv],
);

export const service = object(
  'Service',
  'a service',
  {
    url: url
      .optional()
      .describe(
        'Where it listens: http://, https://, or unix:/path.sock for a Unix socket. A path of http:// stands before the path that the route sends.',
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
    tls: serviceTls.optional().describe('TLS toward https targets.'),
    pool: object('Pool', 'pool', {
      connections: integer(1, 100_000)
        .optional()
        .describe('Most connections of a target and worker. Default 100.'),
      idle: duration.optional().describe('How long an idle connection is kept. Default 4s.'),
    })
      .optional()
      .describe('Connections to it.'),
    pipelining: integer(1, 1000)
      .optional()
      .describe(
        'Requests in flight on one connection; above 1 only GET and HEAD are sent ahead, and one that was not answered when the connection broke is tried elsewhere once. Default 1.',
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
  [oneSourceOfTargets, tlsForSomeone, someWeight],
  { wrap: 'url' },
);
