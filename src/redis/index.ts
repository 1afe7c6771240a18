/** Redis as the gateway speaks to it. Loads its client library: import it lazily, and its types as types. */
export { addressOf, type RedisConfig, type RedisEndpoint, type RedisTls } from './config.ts';
export {
  type Arg,
  type LinkState,
  RedisAway,
  type RedisLibrary,
  type RedisLink,
  RedisRefusal,
  type Reply,
} from './contract.ts';
export { redisLibrary } from './library.ts';
export { connectRedis, type LinkParts } from './link.ts';
