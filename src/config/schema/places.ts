/** What to say of a key that cannot stand in a place, by place and key. */
export const HINTS: Readonly<Record<string, string>> = {
  'Destination.weight':
    'weights count in a list: to: [ { service: a, weight: 9 }, { service: b, weight: 1 } ]',
  'Defaults.match': 'what a route takes is said by each route itself',
  'Defaults.to': 'what a route does is said by each route itself',
  'Defaults.respond': 'what a route does is said by each route itself',
  'Defaults.redirect': 'what a route does is said by each route itself',
  'Defaults.aggregate': 'what a route does is said by each route itself',
};

/** Keys that people put one level too high or too low, by where they belong. */
export const PLACES: Readonly<Record<string, readonly string[]>> = {
  'match: { … }': [
    'path',
    'method',
    'host',
    'headers',
    'query',
    'cookies',
    'ip',
    'when',
    'listener',
    'ignoreCase',
  ],
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
