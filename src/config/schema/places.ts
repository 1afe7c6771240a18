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
  AuthProvider: {
    oidc: 'did you mean "jwt"? It finds the keys of its issuer by OpenID Connect Discovery',
    openid: 'did you mean "jwt"? It finds the keys of its issuer by OpenID Connect Discovery',
    oauth2: 'did you mean "introspection", or "jwt" for signed tokens?',
    bearer: 'did you mean "introspection", or "jwt" for signed tokens?',
    extauthz: 'did you mean "forward"?',
    forwardauth: 'did you mean "forward"?',
    keyauth: 'did you mean "apiKey"?',
    key: 'did you mean "apiKey"?',
  },
  RouteAuth: {
    provider: 'did you mean "with"?',
    providers: 'did you mean "with"?',
    policy: 'did you mean "allow"? It takes the name of a policy, or CEL',
    roles: 'did you mean "permissions"?',
    required: 'auth is required unless it says optional: true',
  },
  Jwt: {
    iss: 'did you mean "issuer"?',
    aud: 'did you mean "audience"?',
    jwksuri: 'did you mean "jwks"?',
    jwksurl: 'did you mean "jwks"?',
    leeway: 'did you mean "skew"?',
    clockskew: 'did you mean "skew"?',
    cache: 'a token that was found good is known until it runs out',
  },
  Introspection: {
    url: 'did you mean "endpoint"?',
    ttl: 'did you mean "cache"?',
  },
  Forward: {
    endpoint: 'did you mean "url"?',
    authresponseheaders: 'did you mean "responseHeaders"?',
    authrequestheaders: 'did you mean "requestHeaders"?',
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
  ],
};
