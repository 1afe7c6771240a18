import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadObject, loadText } from './load.ts';
import { renderIssues } from './report/index.ts';

const load = (text: string, env: Record<string, string> = {}) =>
  loadText(text, { file: 'tidegate.yaml', folder: '.', env });

function config(text: string, env: Record<string, string> = {}) {
  const loaded = load(text, env);
  if (loaded.config === null) throw new Error(renderIssues(loaded.issues, loaded.source, { colour: false }));
  return loaded.config;
}

const SERVICES = 'services: { a: { url: http://127.0.0.1:4001 } }\n';

/** The `cache` of a route, as compiled from. */
const routeCache = (cache: string) =>
  config(`${SERVICES}routes: { r: { match: '/a/{id:int}', to: a, cache: ${cache} } }`).routes.r!.cache;

/** The top-level `cache`. */
const cache = (text: string, env: Record<string, string> = {}) =>
  config(`cache: ${text}\n${SERVICES}routes: { r: { match: /a, to: a } }`, env).cache;

describe('what a route keeps', () => {
  test('is nothing where nothing is said', () => {
    expect(config(`${SERVICES}routes: { r: { match: /a, to: a } }`).routes.r!.cache).toBeNull();
    expect(routeCache('none')).toBeNull();
    expect(routeCache('false')).toBeNull();
  });

  test('is by RFC 9111 alone with true', () => {
    expect(routeCache('true')).toEqual({
      policy: {
        ttl: { byStatus: {}, bare: null, default: null },
        override: false,
        ignore: new Set(),
        setCookie: 'refuse',
        staleWhileRevalidate: null,
        staleIfError: null,
        methods: ['GET', 'HEAD'],
        private: false,
        owner: 'none',
        silentOnAuthorization: false,
        maxSize: 10 * 1024 * 1024,
        ignoreClientDirectives: false,
        heuristic: false,
      },
      key: { query: { kind: 'all' }, headers: [], cookies: [], body: false },
      vary: null,
      shared: false,
      private: false,
      ignoreCookies: false,
      store: null,
      tags: [],
      maxTags: 1000,
      refresh: false,
      audit: null,
    });
    expect(routeCache('{}')).toEqual(routeCache('true'));
  });

  test('has lifetimes in seconds, one for all or by status', () => {
    expect(routeCache('{ ttl: 5m }')!.policy.ttl).toEqual({ byStatus: {}, bare: 300, default: null });
    expect(routeCache('{ ttl: { 200: 7d, 404: 1m, default: 500ms } }')!.policy.ttl).toEqual({
      byStatus: { 200: 604_800, 404: 60 },
      bare: null,
      default: 0.5,
    });
    const { staleWhileRevalidate, staleIfError } = routeCache(
      '{ staleWhileRevalidate: 30s, staleIfError: 1d }',
    )!.policy;
    expect([staleWhileRevalidate, staleIfError]).toEqual([30, 86_400]);
  });

  test('says by its keys whose the answer is', () => {
    const owner = (said: string) => routeCache(said)!.policy.owner;
    expect(owner('{ ttl: 1s }')).toBe('none');
    expect(owner('{ vary: request.host }')).toBe('named');
    expect(owner('{ private: true }')).toBe('named');
    expect(owner('{ key: { cookies: [session] } }')).toBe('named');
    expect(owner('{ key: { cookies: [] } }')).toBe('none');
    expect(owner('{ shared: true }')).toBe('shared');
    expect(owner('{ ignoreCookies: true }')).toBe('shared');
    expect(owner('{ shared: true, vary: request.host }')).toBe('named');
    expect(owner('{ shared: false, private: false }')).toBe('none');
  });

  test('says by its keys whether it speaks of a client’s Authorization, too', () => {
    const silentOnAuthorization = (said: string) => routeCache(said)!.policy.silentOnAuthorization;
    expect(silentOnAuthorization('{ ignoreCookies: true }')).toBe(true);
    expect(silentOnAuthorization('{ key: { cookies: [session] } }')).toBe(true);
    expect(silentOnAuthorization('{ ignoreCookies: true, vary: request.host }')).toBe(true);
    expect(silentOnAuthorization('{ vary: request.host, key: { headers: [Authorization] } }')).toBe(false);
    expect(silentOnAuthorization('{ vary: \'sha256(request.headers["authorization"])\' }')).toBe(false);
    expect(silentOnAuthorization('{ vary: auth.permissions }')).toBe(false);
    expect(silentOnAuthorization('{ private: true }')).toBe(false);
    expect(silentOnAuthorization('{ vary: request.host, shared: true }')).toBe(false);
    expect(silentOnAuthorization('{ key: { cookies: [session] }, shared: true }')).toBe(false);
    expect(silentOnAuthorization('{ ttl: 1s }')).toBe(false);
  });

  test('is told apart by the parameters, headers and cookies of its key', () => {
    const key = (said: string) => routeCache(`{ key: ${said} }`)!.key;
    expect(key('{ query: [page, size, page] }').query).toEqual({ kind: 'only', names: ['page', 'size'] });
    expect(key('{ query: [] }').query).toEqual({ kind: 'only', names: [] });
    expect(key("{ query: { ignore: ['utm_*'], sort: true } }").query).toEqual({
      kind: 'ignore',
      names: ['utm_*'],
      sort: true,
    });
    expect(key('{ query: { ignore: fbclid } }').query).toEqual({
      kind: 'ignore',
      names: ['fbclid'],
      sort: false,
    });
    expect(key('{ query: { sort: true } }').query).toEqual({ kind: 'ignore', names: [], sort: true });
    expect(key('{ query: { sort: false } }').query).toEqual({ kind: 'all' });
    expect(key('{ headers: [Accept-Language, accept-language, X-A], cookies: [lang], body: true }')).toEqual({
      query: { kind: 'all' },
      headers: ['accept-language', 'x-a'],
      cookies: ['lang'],
      body: true,
    });
  });

  test('takes over what defaults say, whole, unless it says its own', () => {
    const { routes } = config(`${SERVICES}defaults: { cache: { ttl: 5m, tags: [all] } }
routes:
  same: { match: /a, to: a }
  own: { match: /b, to: a, cache: { ttl: 1m } }
  off: { match: /c, to: a, cache: none }
  page: { match: /d, respond: { body: x } }`);
    expect(routes.same!.cache!.tags).toEqual(['all']);
    expect(routes.own!.cache).toMatchObject({ tags: [], policy: { ttl: { bare: 60 } } });
    expect(routes.off!.cache).toBeNull();
    expect(routes.page!.cache).toBeNull();
  });

  test('has tags and conditions as they are written', () => {
    const said = routeCache(
      "{ tags: ['a:{params.id}', b], store: 'response.status == 200', maxTags: 5, maxSize: 1KiB }",
    )!;
    expect(said.tags).toEqual(['a:{params.id}', 'b']);
    expect(said.store).toBe('response.status == 200');
    expect([said.maxTags, said.policy.maxSize]).toEqual([5, 1024]);
    expect(routeCache('{ tags: a }')!.tags).toEqual(['a']);
  });
});

describe('where answers are kept', () => {
  test('is 64 MiB of each worker where nothing is said', () => {
    expect(config('routes: {}').cache).toEqual({
      memory: 64 * 1024 * 1024,
      redis: null,
      prefix: 'tidegate',
      maxUnsynced: 1000,
    });
  });

  test('is in Redis too, at a URL', () => {
    const { redis } = cache('{ redis: redis://127.0.0.1 }');
    expect(redis).toEqual({
      kind: 'single',
      endpoints: [{ host: '127.0.0.1', port: 6379, username: null, password: null, database: 0 }],
      name: null,
      commandTimeout: 100,
      tls: null,
      encryptionKey: null,
    });
  });

  test('has user, password and database of the URL, and TLS where its scheme says so', () => {
    const { redis } = cache("{ redis: 'rediss://tide:p%40ss@[::1]:6380/3' }");
    expect(redis!.endpoints).toEqual([
      { host: '::1', port: 6380, username: 'tide', password: 'p@ss', database: 3 },
    ]);
    expect(redis!.tls).toEqual({ ca: null, cert: null, key: null, serverName: null, verify: true });
  });

  test('is in a cluster, or at what sentinels name', () => {
    const cluster = cache('{ redis: { cluster: [redis://a:1, redis://b:2], commandTimeout: 50ms } }').redis!;
    expect(cluster).toMatchObject({ kind: 'cluster', commandTimeout: 50 });
    expect(cluster.endpoints.map(({ host, port }) => `${host}:${port}`)).toEqual(['a:1', 'b:2']);
    const sentinels = cache('{ redis: { sentinels: [redis://a:26379], name: shop, tls: true } }').redis!;
    expect(sentinels).toMatchObject({ kind: 'sentinels', name: 'shop', tls: { verify: true } });
  });

  test('is encrypted with a key in base64 or hex', () => {
    const hex = '00112233445566778899aabbccddeeff'.repeat(2);
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    const keyOf = (text: string) =>
      cache("{ redis: { url: redis://a, encrypt: { key: '${env.KEY}' } } }", { KEY: text }).redis!
        .encryptionKey;
    expect(keyOf(hex)).toBe(hex);
    expect(keyOf(base64)).toBe(hex);
    expect(keyOf(base64.replace('=', ''))).toBe(hex);
  });

  test('is trusted without end with maxUnsynced: off', () => {
    expect(cache('{ maxUnsynced: off }').maxUnsynced).toBe(Number.POSITIVE_INFINITY);
    expect(cache('{ maxUnsynced: 250ms, memory: 1GiB, prefix: shop }')).toMatchObject({
      maxUnsynced: 250,
      memory: 1024 ** 3,
      prefix: 'shop',
    });
  });
});

test('whatever stands in a cache is a config or has reasons', () => {
  const words = [
    'none',
    'true',
    '5m',
    'store',
    'GET',
    'POST',
    'vary',
    'a:{params.id}',
    'auth.subject',
    'redis://a',
  ];
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(...words), fc.constant(true));
  const keys =
    'ttl override ignore setCookie methods key query headers cookies body vary shared private store tags';
  const more =
    'ignoreCookies maxTags audit auditIgnore maxSize sort url cluster sentinels name tls encrypt memory redis prefix 200 default';
  const part = (value: fc.Arbitrary<unknown>) =>
    fc.dictionary(
      fc.constantFrom(...keys.split(' '), ...more.split(' ')),
      fc.oneof(leaf, fc.array(leaf), value),
    );
  const cache = part(part(leaf));
  fc.assert(
    fc.property(cache, cache, cache, (levels, defaults, own) => {
      const services = { a: { url: 'http://127.0.0.1:4001' } };
      const routes = { r: { match: '/a/{id}', to: 'a', cache: own }, s: { match: '/s', to: 'a' } };
      const loaded = loadObject(
        { cache: levels, defaults: { cache: defaults }, services, routes },
        '/nowhere',
        { env: {} },
      );
      expect(loaded.config === null).toBe(loaded.issues.some((issue) => issue.severity === 'error'));
      renderIssues(loaded.issues, loaded.source, { colour: false });
    }),
    { numRuns: 300 },
  );
});
