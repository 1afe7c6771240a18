import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import { ask } from '../../workers/fixture/lab.ts';
import { purgeAt, startWholeNode, type WholeNode } from './whole-node.ts';

/** Clients know one name, whichever node they reach. */
const HOST = { host: 'shop.test' };

/** Two whole nodes of two workers each, as they are installed, with one Redis between them. */
describe.skipIf(noRedis())('two nodes of two workers with Redis between them', () => {
  let lab: ProcessLab;
  let folder: TempFolder;
  let redis: RedisServer;
  let origin: HttpOrigin;
  let nodes: [WholeNode, WholeNode];
  /** What the origin says now, and what holds its answers back. */
  let body: string;
  let hold: Promise<void>;
  const seen: string[] = [];

  beforeEach(async () => {
    lab = processLab();
    folder = tempFolder();
    redis = await redisServer();
    body = 'one';
    hold = Promise.resolve();
    seen.length = 0;
    origin = await httpOrigin(async ({ url = '' }, response) => {
      seen.push(url);
      const said = body;
      await hold;
      response.setHeader('cache-control', 'max-age=600');
      response.end(`${said} ${url}`);
    });
    nodes = [await start(), await start()];
  });

  afterEach(async () => {
    await lab.close();
    await origin.close();
    await redis.close();
    folder.close();
  });

  async function start(): Promise<WholeNode> {
    const node = await startWholeNode(lab, folder.path, {
      workers: 2,
      cache: { redis: { url: redis.url, commandTimeout: '2s' } },
      services: { shop: { url: origin.url } },
      routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page', 'page:{request.path}'] } } },
    });
    // It answers tagged entries once it follows the log.
    await until(
      async () => {
        const { headers } = await get(node, '/warm');
        return headers['cache-status']?.includes('hit');
      },
      'a hit',
      15_000,
    );
    return node;
  }

  const get = ({ port }: WholeNode, path: string) => ask(port, { path, headers: HOST });

  async function purged(node: WholeNode, what: object): Promise<void> {
    expect(await purgeAt(node, what)).toBe(200);
  }

  const count = (url: string) => seen.filter((one) => one === url).length;
  const workersOf = ({ process }: WholeNode) => process.tree().filter((pid) => pid !== process.pid);

  it('what one has stored the other has', async () => {
    for (let i = 0; i < 40; i++) await get(nodes[i % 2]!, '/warm');
    await get(nodes[0], '/a');
    await until(async () => (await get(nodes[1], '/a')).headers['cache-status']?.includes('hit'), 'a hit');
    const lines: string[] = [];
    for (let i = 0; i < 10; i++) lines.push(String((await get(nodes[i % 2]!, '/a')).headers['cache-status']));
    expect(count('/a'), lines.join('\n')).toBe(1);
  });

  it('what is purged at one is answered by neither, from the moment the purge is answered', async () => {
    for (let i = 0; i < 8; i++) await get(nodes[i % 2]!, '/a');
    for (let round = 0; round < 5; round++) {
      body = `round${round}`;
      await purged(nodes[round % 2]!, { tags: ['page:/a'] });
      for (let i = 0; i < 4; i++) expect((await get(nodes[round % 2]!, '/a')).text).toBe(`${body} /a`);
      await until(
        async () => (await get(nodes[(round + 1) % 2]!, '/a')).text === `${body} /a`,
        'the other node to hear of it',
        1000,
      );
      for (let i = 0; i < 8; i++) expect((await get(nodes[i % 2]!, '/a')).text).toBe(`${body} /a`);
    }
  });

  it('a thousand clients on one cold key make one request to the origin', async () => {
    const open = Promise.withResolvers<void>();
    hold = open.promise;
    const asks = Array.from({ length: 1000 }, (_, i) => get(nodes[i % 2]!, '/cold'));
    await until(() => count('/cold') > 0, 'a request at the origin');
    await pause(500);
    open.resolve();
    const answers = await Promise.all(asks);
    expect(answers.filter(({ text }) => text === 'one /cold')).toHaveLength(1000);
    expect(count('/cold')).toBe(1);
  }, 30_000);

  it('a worker stopped during a purge answers nothing that was purged when it goes on', async () => {
    for (let i = 0; i < 16; i++) await get(nodes[0], '/a');
    const [stopped] = workersOf(nodes[0]);
    process.kill(stopped!, 'SIGSTOP');
    try {
      body = 'two';
      await purged(nodes[0], { tags: ['page:/a'] });
    } finally {
      process.kill(stopped!, 'SIGCONT');
    }
    const answers = await Promise.all(Array.from({ length: 50 }, () => get(nodes[0], '/a')));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['two /a']));
  }, 30_000);

  it('a fill that takes longer than a lease stays the only one', async () => {
    const open = Promise.withResolvers<void>();
    hold = open.promise;
    const first = get(nodes[0], '/long');
    await until(() => count('/long') === 1, 'a request at the origin');
    const asks = Array.from({ length: 20 }, (_, i) => get(nodes[i % 2]!, '/long'));
    await pause(7000);
    expect(count('/long')).toBe(1);
    open.resolve();
    for (const { text } of await Promise.all([first, ...asks])) expect(text).toBe('one /long');
    expect(count('/long')).toBe(1);
  }, 30_000);

  it('when the node that fills is killed, those who wait at the other get their answer within its lease', async () => {
    const open = Promise.withResolvers<void>();
    hold = open.promise;
    const lost = get(nodes[0], '/slow').catch(() => null);
    await until(() => count('/slow') === 1, 'a request at the origin');
    const began = performance.now();
    const asks = Array.from({ length: 20 }, () => get(nodes[1], '/slow'));
    await pause(300);
    expect(count('/slow')).toBe(1);
    for (const pid of nodes[0].process.tree()) process.kill(pid, 'SIGKILL');
    await lost;
    open.resolve();
    for (const { text } of await Promise.all(asks)) expect(text).toBe('one /slow');
    expect(performance.now() - began).toBeLessThan(8000);
    // Each worker of the other node asks once at most.
    expect(count('/slow')).toBeLessThanOrEqual(3);
  }, 30_000);

  it('a purge of a URL by a PUT at one is heard at the other', async () => {
    for (let i = 0; i < 8; i++) await get(nodes[i % 2]!, '/a');
    body = 'two';
    await ask(nodes[0].port, { path: '/a', method: 'PUT', body: 'x', headers: HOST });
    for (let i = 0; i < 6; i++) expect((await get(nodes[0], '/a')).text).toBe('two /a');
    await until(async () => (await get(nodes[1], '/a')).text === 'two /a', 'the other to hear of it', 1000);
  });
});
