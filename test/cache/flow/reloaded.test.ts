import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../../src/testkit/index.ts';

describe('what a route keeps, when the config is reloaded', () => {
  let origin: ScriptedOrigin;
  let gateway: TestGateway;

  interface Said {
    service?: object;
    called?: object;
    to?: unknown;
    cache?: object;
  }

  function config({ service = {}, called = {}, to = 'shop', cache = {} }: Said = {}) {
    return {
      services: { shop: { url: origin.url, ...service }, next: { url: origin.url } },
      routes: {
        called: { match: '/called', to: 'next', ...called },
        whole: {
          match: '/whole',
          aggregate: { calls: { part: { route: 'called', path: '/called' } } },
          cache: { ttl: '1m' },
        },
        shop: { match: '/*', to, cache: { ttl: '1m', ...cache } },
      },
    };
  }

  beforeAll(async () => {
    origin = await scriptedOrigin(answer(200, [['Content-Type', 'application/json']], '"kept"'));
    gateway = await startTestGateway(config());
  });
  afterAll(async () => {
    await gateway.close();
    await origin.close();
  });
  beforeEach(() => gateway.reload(config()));

  async function isKept(path: string): Promise<boolean> {
    const client = await rawClient({ port: gateway.port });
    await client.send(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    const response = await client.response('GET');
    client.close();
    return /hit/.test(headerValue(response, 'cache-status') ?? '');
  }

  const set = (value: string) => ({ request: { headers: { set: { 'x-tenant': value } } } });

  it.each<[string, string, Said]>([
    ['its service is told something else', '/told', { service: set('b') }],
    ['its service is asked under another host', '/host', { service: { host: 'other.test' } }],
    ['a route that it calls asks for something else', '/whole', { called: set('b') }],
    ['a route that it calls is sent elsewhere', '/whole', { called: { to: 'shop' } }],
    ['it is kept for another time', '/ttl', { cache: { ttl: '2m' } }],
  ])('is asked for anew where %s', async (_what, path, said) => {
    await isKept(path);
    expect(await isKept(path)).toBe(true);
    await gateway.reload(config(said));
    expect(await isKept(path)).toBe(false);
  });

  it('stays where another share of the requests goes to its side of a split', async () => {
    const split = (weight: number) => [
      { service: 'shop', weight },
      { service: 'next', weight: 0 },
    ];
    await gateway.reload(config({ to: split(90) }));
    await isKept('/split');
    await gateway.reload(config({ to: split(80) }));
    expect(await isKept('/split')).toBe(true);
  });
});
