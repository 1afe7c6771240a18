import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type HttpOrigin,
  httpOrigin,
  noRedis,
  type ProcessLab,
  processLab,
  type RedisServer,
  redisServer,
  type TempFolder,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import { type AskOptions, ask } from '../../workers/fixture/lab.ts';
import { purgeAt, startWholeNode, type WholeNode } from './whole-node.ts';

const ROUTES = {
  plain: { match: '/plain/*', to: 'shop', cache: { ttl: '1h' } },
  only: { match: '/only/*', to: 'shop', cache: { ttl: '1h', key: { query: ['page', 'size'] } } },
  ignore: { match: '/ignore/*', to: 'shop', cache: { ttl: '1h', key: { query: { ignore: ['utm_*'] } } } },
  sort: {
    match: '/sort/*',
    to: 'shop',
    cache: { ttl: '1h', key: { query: { ignore: ['fbclid'], sort: true } } },
  },
  tagged: { match: '/tagged/{id}', to: 'shop', cache: { ttl: '1h', tags: ['item:{params.id}'] } },
  search: { match: '/search/*', to: 'shop', cache: { ttl: '1h', methods: ['POST'], key: { body: true } } },
  sides: {
    match: '/sides/*',
    to: [
      { service: 'shop', weight: 50 },
      { service: 'other', weight: 50 },
    ],
    cache: { ttl: '1h', key: { query: { sort: true } } },
  },
};

interface Case {
  readonly name: string;
  /** Stored, and gone after the purge. */
  readonly asks: readonly string[];
  readonly options?: AskOptions;
  /** By which it is stored; otherwise as it is asked. */
  readonly fill?: AskOptions;
  readonly purge: { tags?: string[]; urls?: string[]; prefixes?: string[] };
  /** Stored too, and left alone. */
  readonly spared?: readonly string[];
}

/** Both sides of a weighted route are met by so many requests, but for one time in a million. */
const TIMES = 21;

/** A UUID as some databases and services spell it. */
const LOUD = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';

const url = (path: string) => `http://shop.test${path}`;

/** Each has a folder of its own below its route. */
const CASES: Case[] = [
  {
    name: 'a URL, in any case of the host, with its usual port and in another spelling',
    asks: ['/plain/spelled/x%7Ey'],
    purge: { urls: ['HTTP://Shop.TEST.:80/plain/./spelled//x~y#part'] },
    spared: ['/plain/spelled/x', '/plain/spelled/x~y?q'],
  },
  {
    name: 'a tag with a UUID in it, however that is spelled, from the config or from the service',
    asks: [`/tagged/${LOUD}`, `/tagged/${LOUD.toLowerCase()}`, '/plain/named/a'],
    purge: { tags: [`item:${LOUD}`, `named:${LOUD}`] },
    spared: ['/tagged/A0EEBC99'],
  },
  {
    name: 'a URL with its query',
    asks: ['/plain/query/a?b=2&a=1'],
    purge: { urls: [url('/plain/query/a?b=2&a=1')] },
    spared: ['/plain/query/a?b=2&a=2', '/plain/query/ab?b=2&a=1'],
  },
  {
    name: 'a URL with parameters that are not in the list',
    asks: ['/only/list/a?size=9&page=2'],
    purge: { urls: [url('/only/list/a?session=7&page=2&size=9')] },
    spared: ['/only/list/a', '/only/list/a?page=3&size=9'],
  },
  {
    name: 'a URL none of whose parameters are in the list',
    asks: ['/only/none/a?session=7', '/only/none/a'],
    purge: { urls: [url('/only/none/a?other=1')] },
    spared: ['/only/none/a?page=1'],
  },
  {
    name: 'a URL with parameters that are left out',
    asks: ['/ignore/out/a?b=2&utm_source=x&a=1'],
    purge: { urls: [url('/ignore/out/a?utm_medium=y&b=2&a=1')] },
    spared: ['/ignore/out/a?a=1&b=2'],
  },
  {
    name: 'a URL with its parameters in another order',
    asks: ['/sort/order/a?b=2&a=1&fbclid=x'],
    purge: { urls: [url('/sort/order/a?fbclid=y&a=1&b=2')] },
    spared: ['/sort/order/a?a=1'],
  },
  {
    name: 'both sides of a weighted route',
    asks: ['/sides/both/a?x=1&y=2'],
    purge: { urls: [url('/sides/both/a?y=2&x=1')] },
  },
  {
    name: 'answers to HEAD with those to GET',
    asks: ['/plain/head/a'],
    options: { method: 'HEAD' },
    fill: { method: 'GET' },
    purge: { urls: [url('/plain/head/a')] },
  },
  {
    name: 'answers to POST, whatever their bodies',
    asks: ['/search/posted/a'],
    options: { method: 'POST', body: '{"q":1}' },
    purge: { urls: [url('/search/posted/a')] },
    spared: ['/search/posted/b'],
  },
  {
    name: 'a prefix of one host',
    asks: ['/plain/begins/a', '/plain/begins/ab?x'],
    purge: { prefixes: ['HTTP://SHOP.test:80/plain/begins/a'] },
    spared: ['/plain/begins/b'],
  },
  {
    name: 'a prefix on every host',
    asks: ['/plain/every/a', '/plain/every/b?x'],
    purge: { prefixes: ['/plain/./every/'] },
    spared: ['/plain/everything'],
  },
  {
    name: 'a prefix that is a path with any query',
    asks: ['/plain/any/a', '/plain/any/a?x=1'],
    purge: { prefixes: ['/plain/any/a?'] },
    spared: ['/plain/any/ab'],
  },
  {
    name: 'a prefix that ends in the query, where parameters are sorted or left out',
    asks: ['/sort/cut/a?b=2&a=1', '/only/cut/a?session=7'],
    purge: { prefixes: ['/sort/cut/a?b=', url('/only/cut/a?session')] },
    spared: ['/sort/cut/ab?b=2', '/only/cut/ab'],
  },
];

function promises(start: () => Promise<WholeNode[]>): void {
  let nodes: WholeNode[];
  beforeAll(async () => {
    nodes = await start();
    for (const node of nodes) await until(() => isSettled(node), 'what is stored to stay', 15_000);
  }, 60_000);
  /** A worker that has just started forgets once: when it hears where the sequence stands. */
  const isSettled = async (node: WholeNode) => {
    for (let i = 0; i < TIMES; i++) {
      const { headers } = await read(node, '/plain/settled');
      if (!(Number(headers.age) >= 1)) return false;
    }
    return true;
  };
  beforeEach(() => {
    version = 1;
  });

  const read = ({ port }: WholeNode, path: string, options: AskOptions = {}) =>
    ask(port, { path, ...options, headers: { host: 'shop.test' } });
  const versionOf = async (node: WholeNode, path: string, options?: AskOptions) =>
    (await read(node, path, options)).headers['x-version'];

  /** All that nodes and sides say, asked so often that none is left out. */
  async function versions(path: string, options?: AskOptions): Promise<string[]> {
    const seen = new Set<string>();
    for (const node of nodes)
      for (let i = 0; i < TIMES; i++) seen.add(String(await versionOf(node, path, options)));
    return [...seen];
  }

  it.each(CASES)('$name', async ({ asks, options, fill = options, purge, spared = [] }) => {
    const kept = [...asks, ...spared];
    for (const path of kept) expect(await versions(path, fill)).toEqual(['1']);
    version = 2;
    for (const path of kept) expect(await versions(path, options), `${path} is cached`).toEqual(['1']);
    expect(await purgeAt(nodes[0]!, purge)).toBe(200);
    for (const path of asks)
      for (let i = 0; i < TIMES; i++)
        expect(await versionOf(nodes[0]!, path, options), `${path} is purged`).toBe('2');
    await until(
      async () =>
        (await Promise.all(asks.map((path) => versionOf(nodes.at(-1)!, path, options)))).every(
          (v) => v === '2',
        ),
      'the other node to hear of it',
    );
    for (const path of asks) expect(await versions(path, options)).toEqual(['2']);
    for (const path of spared) expect(await versions(path, options), `${path} is spared`).toEqual(['1']);
  });

  it('what an unsafe method changes is found under parameters that the key leaves out', async () => {
    expect(await versions('/only/put/a?page=1')).toEqual(['1']);
    version = 2;
    await read(nodes[0]!, '/only/put/a?session=7&page=1', { method: 'PUT', body: 'x' });
    for (let i = 0; i < TIMES; i++) expect(await versionOf(nodes[0]!, '/only/put/a?page=1')).toBe('2');
  });
}

/** What the origin says now. */
let version = 1;
let origin: HttpOrigin;
let lab: ProcessLab;
let folder: TempFolder;

beforeAll(async () => {
  lab = processLab();
  folder = tempFolder();
  origin = await httpOrigin((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('x-version', version);
      if (request.url?.startsWith('/plain/named')) response.setHeader('surrogate-key', `named:${LOUD}`);
      response.end(request.url);
    });
  });
});
afterAll(async () => {
  await lab.close();
  await origin.close();
  folder.close();
});

const config = (more: object) => ({
  services: { shop: { url: origin.url }, other: { url: origin.url } },
  routes: ROUTES,
  ...more,
});

describe('a purge reaches in memory', () => {
  promises(async () => [await startWholeNode(lab, folder.path, config({ workers: 1 }))]);
});

describe.skipIf(noRedis())('a purge reaches in Redis and at another node', () => {
  let redis: RedisServer;
  afterAll(() => redis.close());
  promises(async () => {
    redis = await redisServer();
    const cache = { redis: { url: redis.url, commandTimeout: '2s' } };
    const start = () => startWholeNode(lab, folder.path, config({ workers: 1, cache }));
    return [await start(), await start()];
  });
});
