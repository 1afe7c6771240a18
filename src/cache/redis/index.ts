export { Keyspace, keyspaceFor } from './keys.ts';
export { RedisSequence, type RedisSequenceParts } from './log.ts';
export { AesSeal, NO_SEAL, type Seal, sealFor } from './seal.ts';
export { RedisStore, type RedisStoreParts } from './store.ts';
