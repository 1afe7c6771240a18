/**
 * What to say of a key that cannot stand in a place, by place and key: above all the words that other gateways
 * have for it. Keys in lower case, without `-` and `_`.
 */
const HINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Config: {
    upstreams: 'did you mean "services"?',
    backends: 'did you mean "services"?',
    clusters: 'did you mean "services"?',
    endpoints: 'did you mean "routes"?',
    listeners: 'did you mean "listen"?',
    port: 'say listen: 127.0.0.1:8080',
    version: 'a config has no version: remove it',
    middlewares: 'request, response and the like stand on a route, or in defaults for all',
    plugins: 'request, response and the like stand on a route, or in defaults for all',
  },
  ChangeSource: {
    postgresql: 'did you mean "postgres"?',
    pg: 'did you mean "postgres"?',
    table: 'did you mean "tables"?',
    tags: 'tags stand with their table: tables: { public.orders: [ … ] }',
    url: 'it stands in postgres: { url }',
    cdc: 'did you mean "postgres"?',
    mariadb: 'did you mean "mysql"?',
    binlog: 'did you mean "mysql"?',
    debezium: 'say what carries the events: kafka, redis, nats or http',
  },
  PostgresSource: {
    uri: 'did you mean "url"?',
    dsn: 'did you mean "url"?',
    connection: 'did you mean "url"?',
    slotname: 'did you mean "slot"?',
    tables: 'it stands beside postgres',
  },
  ChangeRule: {
    if: 'did you mean "when"?',
    op: 'say when: \'change.op == "delete"\'',
    tag: 'did you mean "tags"?',
    cols: 'did you mean "columns"?',
  },
  Service: {
    address: 'did you mean "url"?',
    endpoint: 'did you mean "url"?',
    uri: 'did you mean "url"?',
    urls: 'did you mean "targets"?',
    hosts: 'did you mean "targets"?',
    servers: 'did you mean "targets"?',
    endpoints: 'did you mean "targets"?',
    lb: 'did you mean "balance"?',
    loadbalancer: 'did you mean "balance"?',
    circuitbreaker: 'did you mean "breaker"?',
    healthcheck: 'did you mean "health"?',
    path: 'a path belongs at the end of its url',
  },
  Route: {
    service: 'did you mean "to"?',
    upstream: 'did you mean "to"?',
    backend: 'did you mean "to"?',
    proxy: 'did you mean "to"?',
    rewrite: 'say to: { service, path }',
    stripprefix: 'say match: /prefix/*, to: { service, path: /* }',
    retry: 'did you mean "retries"?',
    ratelimit: 'did you mean "limit"?',
    headers: 'conditions stand in match; what is changed in request: { headers } or response: { headers }',
    authentication: 'did you mean "auth"?',
    compression: 'did you mean "compress"?',
  },
  Match: {
    prefix: 'say path: /prefix/*',
    pathprefix: 'say path: /prefix/*',
    regex: "say path: '~RE2'",
    uri: 'did you mean "path"?',
    url: 'did you mean "path"?',
    verb: 'did you mean "method"?',
    hostname: 'did you mean "host"?',
    domain: 'did you mean "host"?',
  },
  Destination: {
    weight: 'weights count in a list: to: [ { service: a, weight: 9 }, { service: b, weight: 1 } ]',
    host: 'it stands on the route, beside to, or on the service',
    timeout: 'it stands on the route, beside to, or on the service',
    url: 'give the service its url under services, and its name here',
    rewrite: 'did you mean "path"?',
  },
  WeightedDestination: {
    host: 'it stands on the route, beside to, or on the service',
    timeout: 'it stands on the route, beside to, or on the service',
    url: 'give the service its url under services, and its name here',
    percent: 'did you mean "weight"?',
  },
  Defaults: {
    match: 'what a route takes is said by each route itself',
    to: 'what a route does is said by each route itself',
    respond: 'what a route does is said by each route itself',
    redirect: 'what a route does is said by each route itself',
    aggregate: 'what a route does is said by each route itself',
  },
  ResponseTransform: {
    query: 'an answer has no query; it stands in request',
  },
  Redirect: {
    url: 'did you mean "to"?',
    location: 'did you mean "to"?',
    code: 'did you mean "status"?',
    permanent: 'say status: 308 (for good) or 307 (for now)',
  },
  Respond: {
    text: 'did you mean "body"?',
    content: 'did you mean "body"?',
    code: 'did you mean "status"?',
    statuscode: 'did you mean "status"?',
    html: 'say template: TEXT, headers: { content-type: text/html; charset=utf-8 }',
  },
};

export function hintFor(place: string, key: string): string | undefined {
  const hints = HINTS[place];
  const plain = key.toLowerCase().replaceAll(/[-_]/g, '');
  return hints !== undefined && Object.hasOwn(hints, plain) ? hints[plain] : undefined;
}

/** Keys that people put one level too high or too low, by where they belong. */
export const PLACES: Readonly<Record<string, readonly string[]>> = {
  'match: { … }': ['path', 'method', 'headers', 'query', 'cookies', 'ip', 'when', 'listener', 'ignoreCase'],
  'to: { service, … }': ['service', 'weight'],
  'a service': ['url', 'targets', 'balance', 'pool', 'health', 'breaker', 'pipelining'],
  'a route': ['match', 'to', 'respond', 'redirect', 'aggregate', 'maxBody', 'mirror', 'priority', 'sticky'],
  'timeout: { … }': ['connect', 'firstByte', 'idle', 'total'],
  'headers: { … }': ['set', 'add', 'default', 'remove'],
  'limits: { … } of a listener': [
    'uri',
    'head',
    'headTimeout',
    'bodyTimeout',
    'sendTimeout',
    'minRate',
    'idleTimeout',
    'connectionsPerClient',
  ],
  'respond: { … }': ['json', 'template', 'file'],
  'a listener': ['address', 'trustedProxies'],
  'cache: { … }': ['ttl', 'tags', 'staleWhileRevalidate', 'staleIfError'],
  'auth: { … }': ['with', 'allow', 'permissions', 'scopes'],
  'limit: { … }': ['rate', 'burst', 'per'],
  'the top level': [
    'services',
    'routes',
    'policies',
    'defaults',
    'workers',
    'drain',
    'log',
    'listen',
    'admin',
    'changes',
  ],
  'a change source': ['tables', 'settle', 'maxWait', 'postgres', 'mysql', 'kafka', 'redis', 'nats', 'http'],
  'postgres: { … } of a change source': ['slot', 'publication'],
};
