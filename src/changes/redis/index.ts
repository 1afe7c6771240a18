export { inspectRedis } from './inspect.ts';
export { createRedisSource, type RedisSourceConfig } from './source.ts';
