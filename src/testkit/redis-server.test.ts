import { describe, expect, it } from 'vitest';
import { noRedis } from './redis-program.ts';
import { redisServer } from './redis-server.ts';

describe.skipIf(noRedis())('a Redis for tests', () => {
  it('comes back on its port with what was saved, or empty', async () => {
    await using redis = await redisServer();
    await redis.command('SET', 'a', 1);
    await redis.save();
    await redis.command('SET', 'a', 2);
    await redis.restart({ data: 'saved' });
    expect(await redis.command('GET', 'a')).toBe('1');
    await redis.restart({ data: 'none' });
    expect(await redis.command('GET', 'a')).toBeNull();
  });

  it('takes settings, and answers again after it was frozen', async () => {
    await using redis = await redisServer({ maxmemory: '20mb' });
    redis.freeze();
    redis.thaw();
    expect(await redis.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(20 * 2 ** 20)]);
  });
});
