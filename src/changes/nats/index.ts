export type { NatsServer } from './connection.ts';
export { inspectNats } from './inspect.ts';
export { createNatsSource, type NatsSourceConfig } from './source.ts';
