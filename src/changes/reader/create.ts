import type { ChangeReaderConfig } from '../../config/model.ts';
import type { Source, SourceParts } from '../contract.ts';
import { createFeedSource } from '../feeds.ts';

/** The reader of each kind; its libraries are loaded with the first source that needs them. */
export async function createSource(config: ChangeReaderConfig, parts: SourceParts): Promise<Source> {
  switch (config.kind) {
    case 'postgres':
      return (await import('../postgres/index.ts')).createPostgresSource(config, parts);
    default:
      return await createFeedSource(config, parts);
  }
}
