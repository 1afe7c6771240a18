export { inspectMysql } from './inspect.ts';
export { connectForPosition } from './position.ts';
export type { MysqlServer } from './server.ts';
export { createMysqlSource, type MysqlSourceConfig } from './source.ts';
