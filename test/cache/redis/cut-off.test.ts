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
import { startWholeNode, type WholeNode } from '../flow/whole-node.ts';

describe.skipIf(noRedis())('a node whose Redis is read, and takes nothing any more', () => {
  let lab: ProcessLab;
  let folder: TempFolder;
  let redis: RedisServer;
  let origin: HttpOrigin;
  let node: WholeNode;

  beforeEach(async () => {
    lab = processLab();
    folder = tempFolder();
    redis = await redisServer();
    origin = await httpOrigin(async (_, response) => {
      response.setHeader('cache-control', 'max-age=600');
      response.end('kept');
    });
    node = await startWholeNode(lab, folder.path, {
      // What is kept stands in Redis alone.
      cache: { redis: redis.url, memory: 0 },
      services: { shop: { url: origin.url } },
      routes: {
        tagged: { match: '/tagged', to: 'shop', cache: { tags: ['page'] } },
        bare: { match: '/bare', to: 'shop', cache: true },
      },
    });
  });

  afterEach(async () => {
    await lab.close();
    await origin.close();
    await redis.close();
    folder.close();
  });

  const isHit = async (path: string) =>
    /hit/.test(String((await ask(node.port, { path })).headers['cache-status']));

  it('answers nothing with tags from there after maxUnsynced: the others may have another by then', async () => {
    await until(async () => (await isHit('/tagged')) && (await isHit('/bare')), 'hits', 10_000);
    await redis.command('config', 'set', 'min-replicas-to-write', '1');
    await until(async () => !(await isHit('/tagged')), 'no more hits', 5000);
    expect(await isHit('/tagged')).toBe(false);
    expect(await isHit('/bare')).toBe(true);
    await redis.command('config', 'set', 'min-replicas-to-write', '0');
    await until(() => isHit('/tagged'), 'hits again', 10_000);
  });
});
