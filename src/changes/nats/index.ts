export type { NatsServer } from './connection.ts';
export { createNatsSource, type NatsSourceConfig } from './source.ts';
