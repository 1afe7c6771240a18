import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type HttpOrigin,
  httpOrigin,
  noRedis,
  type RedisServer,
  redisServer,
  startTestGateway,
  type TestGateway,
  until,
} from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { PATIENT } from './stage.ts';

describe.skipIf(noRedis())('a gateway without a memory of its own (`memory: 0`)', () => {
  let redis: RedisServer;
  let origin: HttpOrigin;
  let gateway: TestGateway;
  let asked = 0;

  beforeEach(async () => {
    asked = 0;
    redis = await redisServer();
    origin = await httpOrigin((_request, response) => {
      asked++;
      response.setHeader('cache-control', 'max-age=600');
      response.end(`answer ${asked}`);
    });
    gateway = await startTestGateway({
      cache: { memory: 0, redis: { url: redis.url, commandTimeout: `${PATIENT}ms` } },
      services: { shop: { url: origin.url } },
      routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
    });
  });
  afterEach(async () => {
    await gateway.close();
    await origin.close();
    await redis.close();
  });

  const get = async () => {
    const { text, headers } = await ask(gateway.port, { path: '/a' });
    return `${text}: ${headers['cache-status']}`;
  };

  it('answers from Redis alone', async () => {
    await until(async () => /hit; ttl=/.test(await get()), 'a hit', 10_000);
    const before = asked;
    for (let i = 0; i < 5; i++) expect(await get()).toMatch(/^answer \d+: tidegate; hit; ttl=/);
    expect(asked).toBe(before);
    await redis.command('FLUSHALL');
    await until(async () => !(await get()).includes(`answer ${before}`), 'the answer to be gone', 10_000);
    expect(asked).toBeGreaterThan(before);
  });
});
