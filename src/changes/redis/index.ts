export { createRedisSource, type RedisSourceConfig } from './source.ts';
