import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import typed from '../examples/typescript/tidegate.config.ts';
import { loadConfig, renderIssues } from '../src/config/index.ts';
import {
  acmeServer,
  type Certificates,
  certificates,
  type HttpOrigin,
  httpOrigin,
  rawClient,
  startTestGateway,
  type TempFolder,
  type TestGateway,
  tempFolder,
  until,
} from '../src/testkit/index.ts';
import { collected, get, grpcClient, grpcServer, outcome, type Shop } from './grpc/stage.ts';

const root = join(import.meta.dirname, '..');

interface FrontListener {
  tls: { acme: object };
}

interface Definition {
  listen?: unknown;
  services?: Record<string, { url?: string; targets?: (string | { url: string })[] }>;
}

/** What a service says of the request that reached it. */
interface Seen {
  service: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

let folder: TempFolder;
let authority: Certificates;
const origins = new Map<string, HttpOrigin>();

beforeAll(async () => {
  folder = tempFolder();
  cpSync(join(root, 'examples'), folder.path, { recursive: true });
  authority = await certificates();
  mkdirSync(join(folder.path, 'certs'));
  const leaves = { shop: 'shop.example', blog: 'blog.shop.example', inside: 'shop.inside' };
  for (const [name, host] of Object.entries(leaves)) await layPair(name, host, 'server');
  await layPair('gateway', 'gateway', 'client');
  writeFileSync(join(folder.path, 'certs/inside-ca.pem'), authority.ca);
});

afterAll(async () => {
  for (const origin of origins.values()) await origin.close();
  folder.close();
});

async function layPair(name: string, host: string, use: 'server' | 'client'): Promise<void> {
  const { cert, key } = await authority.leaf([host], { use });
  writeFileSync(join(folder.path, `certs/${name}.pem`), cert);
  writeFileSync(join(folder.path, `certs/${name}-key.pem`), key);
}

/** A service that tells what it was asked. */
async function origin(service: string): Promise<HttpOrigin> {
  const known = origins.get(service);
  if (known !== undefined) return known;
  const made = await httpOrigin(({ method, url, headers }, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-powered-by', 'a service');
    response.end(JSON.stringify({ service, method, url, headers }));
  });
  origins.set(service, made);
  return made;
}

function definitionOf(file: string): Definition {
  return parse(readFileSync(join(folder.path, file), 'utf8'), { merge: true }) as Definition;
}

/** The example as it is, but on free ports and in front of services that exist. */
async function run(file: string, given: Definition = definitionOf(file)): Promise<TestGateway> {
  const services: Definition['services'] = {};
  for (const [name, service] of Object.entries(given.services ?? {})) {
    const { host } = new URL((await origin(name)).url);
    services[name] = service.url === undefined ? service : { ...service, url: moved(service.url, host) };
  }
  const definition = { ...given, services, listen: anyPort(given.listen) };
  return startTestGateway(definition, { folder: dirname(join(folder.path, file)) });
}

function anyPort(listen: unknown): unknown {
  if (Array.isArray(listen)) return listen.map(anyPort);
  if (typeof listen !== 'object' || listen === null) return '127.0.0.1:0';
  return { ...listen, address: '127.0.0.1:0' };
}

function moved(url: string, host: string): string {
  return `http://${host}${new URL(url).pathname}`;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  port?: number;
  tls?: { ca: string; servername: string };
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Says the Host it is told to, which `fetch` would not. */
async function ask(gateway: TestGateway, path: string, how: Ask = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, port = gateway.port, tls } = how;
  await using client = await rawClient({ port, ...(tls === undefined ? {} : { tls }) });
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  await client.send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const { status, headers: pairs, body } = await client.response(method);
  return { status, headers: new Headers(pairs.map(([name, value]) => [name, value])), text: body.toString() };
}

async function seen(gateway: TestGateway, path: string, how: Ask = {}): Promise<Seen> {
  const { status, text } = await ask(gateway, path, how);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Seen;
}

const files = globSync('**/*.yaml', { cwd: join(root, 'examples') }).sort();

describe('the examples', () => {
  it.each(files)('%s loads as it stands', async (file) => {
    const { issues, source } = await loadConfig(join(folder.path, file));
    expect(renderIssues(issues, source, { colour: false })).toBe('');
  });

  it('typescript/ loads by the command line, wherever it stands', () => {
    const args = ['check', join(folder.path, 'typescript/tidegate.config.ts')];
    expect(execFileSync(join(root, 'bin/tidegate'), args, { encoding: 'utf8' })).toContain('is in order');
  });

  it('prefix.yaml strips one prefix and keeps the other', async () => {
    await using gateway = await run('prefix.yaml');
    expect(await seen(gateway, '/catalogue/products?page=2')).toMatchObject({
      service: 'catalogue',
      url: '/products?page=2',
    });
    expect(await seen(gateway, '/ordering/reports/2026')).toMatchObject({
      service: 'ordering',
      url: '/ordering/reports/2026',
    });
  });

  it('hosts.yaml prefers the exact host, and tells a tenant by its name', async () => {
    await using gateway = await run('hosts.yaml');
    const at = (host: string) => ({ headers: { host } });
    expect(await seen(gateway, '/', at('SHOP.example:8080'))).toMatchObject({ service: 'shop' });
    expect(await seen(gateway, '/', at('acme.shop.example'))).toMatchObject({
      service: 'tenants',
      headers: { host: 'acme.shop.example', 'x-tenant': 'acme' },
    });
    const blog = await seen(gateway, '/', at('blog.shop.example'));
    expect(blog.service).toBe('blog');
    expect(blog.headers.host).toBe(new URL(origins.get('blog')!.url).host);
    expect(await ask(gateway, '/', at('other.example'))).toMatchObject({
      status: 404,
      text: '{"error":"no such host: other.example"}',
    });
  });

  it('header-canary.yaml sends those who ask for it to the next release', async () => {
    await using gateway = await run('header-canary.yaml');
    expect(await seen(gateway, '/orders/1')).toMatchObject({ service: 'ordering' });
    expect(await seen(gateway, '/orders/1', { headers: { 'x-beta': 'on' } })).toMatchObject({
      service: 'orderingNext',
    });
    const byCookie = await ask(gateway, '/orders/1', { headers: { cookie: 'a=b; release=next' } });
    expect(byCookie.headers.get('x-release')).toBe('next');
  });

  it('weighted-split.yaml keeps a client on its side', async () => {
    await using gateway = await run('weighted-split.yaml');
    const first = await ask(gateway, '/');
    const line = first.headers.get('set-cookie')!;
    expect(line).toMatch(/^side=\S+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    const { service } = JSON.parse(first.text) as Seen;
    const headers = { cookie: line.split(';')[0]! };
    for (let i = 0; i < 20; i++) expect(await seen(gateway, '/', { headers })).toMatchObject({ service });
    expect(await seen(gateway, '/checkout/1')).toMatchObject({ service: 'shop' });
  });

  it('https-redirect.yaml sends port 80 to https and serves port 443', async () => {
    await using gateway = await run('https-redirect.yaml');
    const { plain, front } = gateway.ports as { plain: number; front: number };
    const headers = { host: 'shop.example' };
    const redirected = await ask(gateway, '/a?b=c', { port: plain, headers });
    expect(redirected.status).toBe(301);
    expect(redirected.headers.get('location')).toBe('https://shop.example/a?b=c');
    expect(await ask(gateway, '/alive', { port: plain, headers })).toMatchObject({ status: 200, text: 'ok' });
    const tls = { ca: authority.ca, servername: 'shop.example' };
    const served = await ask(gateway, '/a', { port: front, tls, headers });
    expect(served.headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect(JSON.parse(served.text)).toMatchObject({ headers: { 'x-forwarded-proto': 'https' } });
  });

  it('letsencrypt.yaml gets its certificates, keeps them beside it, and sends all but their proofs to https', async () => {
    await using ca = await acmeServer({ reach: () => gateway.ports.plain! });
    const { listen, ...given } = definitionOf('letsencrypt.yaml') as { listen: [object, FrontListener] };
    const [plain, front] = listen;
    const acme = { ...front.tls.acme, directory: ca.directory, ca: ca.ca };
    await using gateway: TestGateway = await run('letsencrypt.yaml', {
      ...given,
      listen: [plain, { ...front, tls: { acme } }],
    });
    for (const servername of ['shop.example', 'www.shop.example']) {
      const tls = { ca: ca.ca, servername };
      const how = { port: gateway.ports.front!, tls, headers: { host: servername } };
      const { text } = await until(() => ask(gateway, '/a', how).catch(() => null), 'the certificate');
      expect(JSON.parse(text)).toMatchObject({ service: 'shop', url: '/a' });
    }
    expect((await ask(gateway, '/a', { port: gateway.ports.plain! })).status).toBe(301);
    expect(readdirSync(join(folder.path, 'acme')).length).toBe(2);
  });

  it('tls.yaml has a certificate for each name, and shows its own to the service', async () => {
    const inside = await insideService();
    try {
      const { listen, services } = definitionOf('tls.yaml');
      services!.shop!.url = `https://127.0.0.1:${(inside.address() as AddressInfo).port}`;
      const definition = { ...definitionOf('tls.yaml'), services, listen: anyPort(listen) };
      await using gateway = await startTestGateway(definition, { folder: folder.path });
      for (const servername of ['shop.example', 'blog.shop.example']) {
        const tls = { ca: authority.ca, servername };
        const { status, text } = await ask(gateway, '/', { tls, headers: { host: servername } });
        expect({ status, text }).toEqual({ status: 200, text: 'hello gateway' });
      }
    } finally {
      inside.close();
    }
  });

  it('maintenance/ shows a page to people, JSON to programs, and the shop to staff', async () => {
    await using gateway = await run('maintenance/tidegate.yaml');
    const page = await ask(gateway, '/cart');
    expect(page.status).toBe(503);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('retry-after')).toBe('3600');
    expect(page.text).toContain('Closed for an hour');
    const { headers, text } = await ask(gateway, '/api/orders');
    expect(JSON.parse(text)).toEqual({
      error: 'closed for maintenance',
      request: headers.get('x-request-id'),
    });
    expect(await seen(gateway, '/cart', { headers: { 'x-staff': 'me' } })).toMatchObject({ service: 'shop' });
  });

  it('rewrite.yaml asks the services in their own words', async () => {
    await using gateway = await run('rewrite.yaml');
    const url = async (path: string) => (await seen(gateway, path)).url;
    expect(await url('/c/a/b')).toBe('/v2/api/a/b');
    expect(await url('/c')).toBe('/v2/api');
    expect(await url('/p/LAMP-001?utm_source=mail&page=2')).toBe('/v2/products/LAMP-001?full=1&page=2');
    expect(await url('/find/red%20lamps')).toBe('/search?q=red%20lamps');
    const old = await ask(gateway, '/shop/LAMP-001.html?a=1');
    expect(old.status).toBe(301);
    expect(old.headers.get('location')).toBe('/p/LAMP-001?a=1');
  });

  it('resilience.yaml answers while one of its targets is down', async () => {
    const definition = definitionOf('resilience.yaml');
    const [, ...others] = definition.services!.ordering!.targets!;
    const alive = (await origin('ordering')).url;
    definition.services!.ordering!.targets = ['http://127.0.0.1:1', ...others.map(() => alive)];
    await using gateway = await startTestGateway({ ...definition, listen: '127.0.0.1:0' });
    for (let i = 0; i < 20; i++)
      expect(await seen(gateway, '/orders/1')).toMatchObject({ service: 'ordering' });
  });

  it('resilience.yaml tries a payment once', async () => {
    const definition = definitionOf('resilience.yaml');
    definition.services!.ordering!.targets = ['http://127.0.0.1:1'];
    await using gateway = await startTestGateway({ ...definition, listen: '127.0.0.1:0' });
    const paid = await ask(gateway, '/payments/1', { method: 'POST', headers: { 'content-length': '0' } });
    expect(JSON.parse(paid.text)).toMatchObject({ code: 'TG_UPSTREAM_REFUSED' });
  });

  it('grpc.yaml passes calls and long streams, to services with TLS and without', async () => {
    const pair = await authority.leaf(['127.0.0.1']);
    const shop = {
      get: ({ request }, done) => done(null, { id: `${request.id} got` }),
      watch: (stream) => {
        stream.write({ id: 'first' });
        stream.end();
      },
    } satisfies Shop;
    await using plain = await grpcServer(shop);
    await using secret = await grpcServer(shop, pair);
    const definition = definitionOf('grpc.yaml');
    const { shop: shopService, billing } = definition.services!;
    shopService!.targets = shopService!.targets!.map(() => `h2c://127.0.0.1:${plain.port}`);
    billing!.url = `h2://127.0.0.1:${secret.port}`;
    // It has the same methods under another name, and the test has one .proto file.
    const routes = {
      ...(definition as { routes: object }).routes,
      billing: { match: '/shop.v1.Shop/Upload', to: 'billing' },
    };
    const listen = anyPort(definition.listen);
    await using gateway = await startTestGateway({ ...definition, routes, listen }, { folder: folder.path });
    const client = grpcClient(gateway.port, authority.ca, {
      'grpc.ssl_target_name_override': 'shop.example',
    });
    expect((await get(client, { id: 'a' })).order).toMatchObject({ id: 'a got' });
    expect(await collected(client.watch({}))).toMatchObject({
      orders: [{ id: 'first' }],
      status: { code: 0 },
    });
    const upload = await outcome((done) => {
      const call = client.upload(new Metadata(), {}, done);
      call.end();
      return call;
    });
    // By the word of the service behind TLS.
    expect(upload.error).toMatchObject({ code: 12, details: expect.stringContaining('Upload') });
    client.close();
  });

  it('caching.yaml keeps products by path, and lists by what counts in their query', async () => {
    await using gateway = await run('caching.yaml');
    const line = async (path: string, how: Ask = {}) =>
      (await ask(gateway, path, how)).headers.get('cache-status');
    expect(await line('/products/A-1')).toBe('tidegate; fwd=uri-miss; stored');
    expect(await line('/products/A-1')).toMatch(/^tidegate; hit; ttl=\d+$/);
    expect(await line('/list?b=2&utm_source=x&a=1', { headers: { cookie: 's=1' } })).toMatch(/stored/);
    const second = await ask(gateway, '/list?a=1&b=2');
    expect(second.headers.get('cache-status')).toMatch(/; hit;/);
    expect(JSON.parse(second.text)).toMatchObject({ url: '/list?a=1&b=2' });
    expect(second.text).not.toContain('s=1');
  });

  it('limits.yaml counts by address, by who asks, and together', async () => {
    await using gateway = await run('limits.yaml');
    const times = async (count: number, path: string, how: Ask = {}) => {
      const statuses: number[] = [];
      for (let i = 0; i < count; i++) statuses.push((await ask(gateway, path, how)).status);
      return statuses;
    };
    expect(await times(6, '/login', { method: 'POST' })).toEqual([200, 200, 200, 200, 200, 429]);
    const robot = await ask(gateway, '/orders/1', { headers: { 'x-api-key': 'robot-key' } });
    expect(robot.headers.get('ratelimit-policy')).toBe('"orders-2";q=1000;w=1, "orders";q=60;w=60');
    const partner = await ask(gateway, '/orders/1', { headers: { 'x-api-key': 'partner-key' } });
    expect(partner.headers.get('ratelimit-policy')).toContain('"orders";q=600;w=60');
    expect(partner.headers.get('ratelimit')).toMatch(/"orders";r=2;/);
    await times(1, '/suggest');
    expect((await ask(gateway, '/search')).headers.get('ratelimit')).toMatch(/"searching";r=0;/);
    expect(await times(3, '/reports/1')).toEqual([200, 200, 200]);
    expect((await ask(gateway, '/healthz')).headers.has('ratelimit')).toBe(false);
    expect((await ask(gateway, '/else')).headers.get('ratelimit-policy')).toBe('"rest";q=100;w=1');
  });

  it('aggregate.yaml makes one answer of three services', async () => {
    const answers: Record<string, unknown> = {
      '/orders?customer=ada': { tier: 'gold', items: [{ sku: 'A' }, { sku: 'GONE' }] },
      '/offers?tier=gold': [{ percent: 10 }],
      '/products/A': { name: 'Desk lamp' },
    };
    await using shop = await httpOrigin(({ url }, response) => {
      response.statusCode = answers[url ?? ''] === undefined ? 404 : 200;
      response.end(JSON.stringify(answers[url ?? ''] ?? {}));
    });
    const definition = definitionOf('aggregate.yaml');
    for (const service of Object.values(definition.services!)) service.url = shop.url;
    await using gateway = await startTestGateway({ ...definition, listen: '127.0.0.1:0' });
    const whole = await ask(gateway, '/overview/ada');
    expect(whole.headers.get('tidegate-partial')).toBe('products');
    expect(JSON.parse(whole.text)).toEqual({
      orders: [{ sku: 'A' }, { sku: 'GONE' }],
      offers: [{ percent: 10 }],
      products: [{ name: 'Desk lamp' }, null],
    });
  });

  it('browser-api.yaml answers preflights and shapes errors', async () => {
    await using gateway = await run('browser-api.yaml');
    const page = 'https://one.app.example';
    const preflight = await ask(gateway, '/api/orders', {
      method: 'OPTIONS',
      headers: { origin: page, 'access-control-request-method': 'PUT' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(page);
    expect(preflight.headers.get('access-control-max-age')).toBe('3600');
    const answer = await ask(gateway, '/api/orders', { headers: { origin: page } });
    expect(JSON.parse(answer.text)).toMatchObject({ url: '/orders' });
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('x-powered-by')).toBeNull();
    const lost = await ask(gateway, '/nowhere');
    expect(JSON.parse(lost.text)).toEqual({
      error: 'TG_ROUTE_NOT_FOUND',
      message: 'No route matches this request.',
      request: lost.headers.get('x-request-id'),
    });
  });

  it('browser-api.yaml gives an empty list of offers while its service is down', async () => {
    const definition = definitionOf('browser-api.yaml');
    definition.services!.api!.url = 'http://127.0.0.1:1';
    await using gateway = await startTestGateway({ ...definition, listen: '127.0.0.1:0' });
    const offers = await ask(gateway, '/api/offers');
    expect(offers).toMatchObject({ status: 200, text: '{"offers":[]}' });
    expect(offers.headers.get('x-fallback')).toBe('yes');
  });

  it('typescript/ routes by functions and by names that a program made', async () => {
    await using gateway = await run('typescript/tidegate.config.ts', typed as Definition);
    expect(await ask(gateway, '/hello/ada')).toMatchObject({ status: 200, text: 'hello ada' });
    expect(await seen(gateway, '/catalogue/lamps?draft=yes')).toMatchObject({
      url: '/drafts/lamps?draft=yes',
    });
    expect(await seen(gateway, '/catalogue/lamps')).toMatchObject({ url: '/lamps' });
    expect(await seen(gateway, '/stock/1', { headers: { 'x-region': 'us' } })).toMatchObject({
      service: 'stock',
      url: '/us/1',
    });
  });
});

/** A service that only the gateway may ask, by its certificate. */
async function insideService(): Promise<Server> {
  const pem = (name: string) => readFileSync(join(folder.path, `certs/${name}.pem`), 'utf8');
  const options = { cert: pem('inside'), key: pem('inside-key'), ca: authority.ca, requestCert: true };
  const server = createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    response.end(`hello ${subject.CN}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
