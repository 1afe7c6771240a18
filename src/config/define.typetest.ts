/**
 * What the compiler must refuse in a config, and what it must take. Checked by `tsc`; never run.
 */
import { defineGateway } from './define.ts';

export const taken = defineGateway({
  listen: [
    { name: 'plain', address: '0.0.0.0:80', limits: { body: 'none', head: '32KiB', minRate: '1KiB/s' } },
  ],
  admin: false,
  workers: 'auto',
  services: {
    catalogue: { url: 'http://127.0.0.1:4001', timeout: '500ms' },
    ordering: { targets: ['http://127.0.0.1:4003', { url: 'http://127.0.0.1:4013', weight: 2 }] },
  },
  defaults: { response: { headers: { set: { 'x-frame-options': 'DENY' } } } },
  routes: {
    catalogue: { match: '/catalogue/*', to: 'catalogue' },
    product: {
      match: {
        path: '/products/{sku}',
        method: 'GET',
        when: ({ request }) => request.headers['x-beta'] === 'on',
      },
      to: { service: 'catalogue', path: ({ params }) => `/products/${params.sku}` },
      response: { headers: { set: { 'x-status': ({ response }) => String(response.status) } } },
      timeout: { response: '2s', total: 'none' },
    },
    cached: {
      match: '/cached/{id:int}',
      to: 'catalogue',
      cache: {
        ttl: { 200: '5m', default: '10s' },
        key: { query: { ignore: ['utm_*'], sort: true } },
        vary: ({ request }) => request.headers['x-tenant'],
        store: ({ response }) => response.status === 200,
        tags: ['order:{params.id}', ({ params }) => `order:${params.id}`],
      },
    },
    split: { match: '/ordering/*', to: [{ service: 'ordering', weight: 90 }, 'catalogue'] },
    page: {
      match: '/page/{customer}',
      aggregate: {
        calls: {
          orders: { to: 'ordering', path: ({ params }) => `/orders?customer=${params.customer}` },
          products: {
            each: ({ orders }) => orders.body.items,
            to: { service: 'catalogue', path: ({ item }) => `/products/${item.sku}` },
            onError: ({ error }) => (error.status === 404 ? 'null' : 'fail'),
          },
        },
        body: ({ orders, products }) => ({ orders: orders.body, products: products.length }),
      },
    },
    hello: { match: '/hello', respond: { json: { hello: '{request.ip}' } } },
    old: { match: '/old', redirect: { to: '/new' }, timeout: '${env.TIMEOUT:5s}' },
  },
  'x-notes': { owner: 'shop' },
});

const services = { catalogue: { url: 'http://127.0.0.1:4001' } } as const;

defineGateway({
  services,
  // @ts-expect-error a route to a service that isn't there
  routes: { a: { match: '/a', to: 'catalgue' } },
});

defineGateway({
  services,
  // @ts-expect-error the same in the long form
  routes: { a: { match: '/a', to: { service: 'orders' } } },
});

defineGateway({
  services,
  // @ts-expect-error the same in a weighted list
  routes: { a: { match: '/a', to: ['catalogue', { service: 'orders', weight: 1 }] } },
});

defineGateway({
  services,
  // @ts-expect-error a call of a service that isn't there
  routes: { a: { match: '/a', aggregate: { calls: { b: { to: 'catalgue' } } } } },
});

defineGateway({
  services,
  // @ts-expect-error a copy for a service that isn't there
  routes: { a: { match: '/a', to: 'catalogue', mirror: { to: 'catalgue', percent: '10%' } } },
});

defineGateway({
  services,
  // @ts-expect-error a service that isn't there in the place of an answer
  routes: { a: { match: '/a', to: 'catalogue', onStatus: { '500-504': [{ to: 'catalgue' }] } } },
});

defineGateway({
  services,
  // @ts-expect-error the same in defaults
  defaults: { onStatus: { 404: { to: { service: 'orders' } } } },
});

defineGateway({
  services,
  defaults: { mirror: 'none', onStatus: { 404: { to: 'catalogue' } } },
  routes: {
    a: {
      match: '/a',
      to: 'catalogue',
      mirror: { to: { service: 'catalogue', path: '/copies/*' } },
      onStatus: {
        '5xx': [{ to: { service: 'catalogue', path: '/b' }, from: 'service' }, { respond: { status: 503 } }],
        401: { redirect: { to: '/login' } },
      },
    },
  },
});

defineGateway({
  services,
  // @ts-expect-error a call of a route that isn't there
  routes: { a: { match: '/a', aggregate: { calls: { b: { route: 'b', path: '/b' } } } } },
});

defineGateway({
  services,
  routes: {
    a: { match: '/a', aggregate: { calls: { b: { route: 'b', path: '/b' } } } },
    b: { match: '/b', to: 'catalogue' },
  },
});

defineGateway({
  services,
  // @ts-expect-error a misspelt key of a call
  routes: { a: { match: '/a', aggregate: { calls: { b: { to: 'catalogue', fallbck: [] } } } } },
});

defineGateway({
  services,
  // @ts-expect-error two things to do
  routes: { a: { match: '/a', to: 'catalogue', aggregate: { calls: { b: { to: 'catalogue' } } } } },
});

defineGateway({
  services,
  // @ts-expect-error a misspelt key of a route
  routes: { a: { match: '/a', to: 'catalogue', tiemout: '5s' } },
});

defineGateway({
  services,
  // @ts-expect-error a misspelt key of a match
  routes: { a: { match: { paht: '/a' }, to: 'catalogue' } },
});

defineGateway({
  // @ts-expect-error a misspelt key of a service
  services: { catalogue: { url: 'http://127.0.0.1:4001', timeuot: '5s' } },
});

defineGateway({
  services,
  // @ts-expect-error a word that setCookie does not know
  routes: { a: { match: '/a', to: 'catalogue', cache: { setCookie: 'keep' } } },
});

defineGateway({
  services,
  // @ts-expect-error a duration without a unit
  routes: { a: { match: '/a', to: 'catalogue', timeout: '10' } },
});

defineGateway({
  services,
  // @ts-expect-error a duration as a number
  routes: { a: { match: '/a', to: 'catalogue', timeout: 10 } },
});

defineGateway({
  services,
  // @ts-expect-error a size without a unit
  routes: { a: { match: '/a', to: 'catalogue', maxBody: '10M' } },
});

defineGateway({
  services,
  // @ts-expect-error a route that does two things
  routes: { a: { match: '/a', to: 'catalogue', respond: { body: 'x' } } },
});

defineGateway({
  services,
  // @ts-expect-error a route that does nothing
  routes: { a: { match: '/a' } },
});

defineGateway({
  services,
  // @ts-expect-error a route that takes nothing
  routes: { a: { to: 'catalogue' } },
});

defineGateway({
  // @ts-expect-error url beside targets
  services: { catalogue: { url: 'http://127.0.0.1:4001', targets: ['http://127.0.0.1:4002'] } },
});

defineGateway({
  // @ts-expect-error a service without an address
  services: { catalogue: { timeout: '5s' } },
});

// @ts-expect-error a misspelt key at the top
defineGateway({ servces: services });

defineGateway({
  services,
  // @ts-expect-error a variable that isn't there
  routes: { a: { match: { when: ({ requst }) => requst }, to: 'catalogue' } },
});

defineGateway({
  services,
  routes: {
    a: {
      match: '/a',
      to: 'catalogue',
      // @ts-expect-error a request has no response yet
      request: { headers: { set: { 'x-a': ({ response }) => String(response) } } },
    },
  },
});

// @ts-expect-error a word that balance does not know
defineGateway({ services: { catalogue: { url: 'http://127.0.0.1:4001', balance: 'roundrobin' } } });

const auth = { main: { jwt: { issuer: 'https://issuer.example', audience: 'orders' } } } as const;

export const guarded = defineGateway({
  services,
  auth: { ...auth, keys: { apiKey: { keys: [{ hash: 'sha256:00', subject: 'robot' }] } } },
  policies: { own: ({ auth, params }) => auth.subject === params.customer },
  defaults: { auth: { with: ['main', 'keys'] } },
  routes: {
    open: { match: '/open', to: 'catalogue', auth: 'none' },
    own: { match: '/own/{customer}', to: 'catalogue', auth: { with: 'main', allow: 'own' } },
    code: {
      match: '/code',
      to: 'catalogue',
      auth: { with: 'main', allow: ({ auth }) => auth.permissions.includes('orders:read') },
    },
    rule: { match: '/rule', to: 'catalogue', auth: { with: 'none', allow: 'request.ip == "127.0.0.1"' } },
  },
});

defineGateway({
  services,
  auth,
  // @ts-expect-error a route that asks a provider that isn't there
  routes: { a: { match: '/a', to: 'catalogue', auth: { with: 'mian' } } },
});

defineGateway({
  services,
  auth,
  // @ts-expect-error a guard that names no provider
  routes: { a: { match: '/a', to: 'catalogue', auth: { permissions: ['a'] } } },
});

defineGateway({
  services,
  // @ts-expect-error an algorithm that there isn't
  auth: { main: { jwt: { issuer: 'https://issuer.example', algoritms: ['RS256'] } } },
});
