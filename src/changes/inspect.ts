import type { ChangeSourceConfig } from '../config/model.ts';
import type { SourceFinding } from './postgres/index.ts';

export type { SourceFinding } from './postgres/index.ts';

/** What `check --connect` finds when it asks where a source is read from. Its libraries are loaded only then. */
export async function inspectSource(config: ChangeSourceConfig): Promise<SourceFinding> {
  switch (config.reader.kind) {
    case 'postgres':
      return (await import('./postgres/index.ts')).inspectPostgres(config);
    default:
      return { error: null, advice: [] };
  }
}
