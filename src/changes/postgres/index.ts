import type { Source, SourceParts } from '../contract.ts';
import type { PostgresConfig } from './session.ts';
import { PostgresSource } from './source.ts';

export { inspectPostgres } from './inspect.ts';
export { connectForPosition } from './position.ts';
export type { PostgresConfig } from './session.ts';

export function createPostgresSource(config: PostgresConfig, parts: SourceParts): Source {
  return new PostgresSource(config, parts);
}
