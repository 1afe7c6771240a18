import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  httpOrigin,
  noRedis,
  processLab,
  redisServer,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { startWholeNode } from '../flow/whole-node.ts';

const AWAY = 'Redis is away; going on without it';

it.skipIf(noRedis())(
  'a node says once that Redis is away, and once that it is back, however many links to it break',
  { timeout: 60_000 },
  async () => {
    const redis = await redisServer();
    const origin = await httpOrigin((_request, response) => void response.end('here'));
    using folder = tempFolder();
    const lab = processLab();
    try {
      const node = await startWholeNode(lab, folder.path, {
        workers: 2,
        cache: { redis: redis.url },
        services: { shop: { url: origin.url } },
        routes: {
          all: { match: '/*', to: 'shop', cache: { ttl: '1h', tags: ['page'] }, limit: { rate: '10000/s' } },
        },
      });
      const get = async (path: string) => (await ask(node.port, { path })).status;
      const state = async () => JSON.parse((await ask(node.admin, { path: '/v1/cache' })).text).redis?.state;
      const told = (message: string) =>
        node.process.output.split('\n').filter((line) => line.includes(message));
      for (let i = 0; i < 40; i++) expect(await get(`/${i}`)).toBe(200);
      await until(async () => (await state()) === 'connected', 'Redis to be used', 10_000);
      await redis.kill();
      for (let i = 0; i < 40; i++) expect(await get(`/later/${i}`)).toBe(200);
      await until(() => told(AWAY).length > 0, 'it to be said', 10_000);
      await pause(1000);
      expect(told(AWAY)).toHaveLength(1);
      await redis.start();
      await until(() => told('Redis is back').length > 0, 'it to be back', 20_000);
      await pause(1000);
      expect(told('Redis is back')).toHaveLength(1);
    } finally {
      await lab.close();
      await origin.close();
      await redis.close();
    }
  },
);
