import type { ChangeSourceConfig } from '../config/model.ts';
import { mysqlServer, natsServer } from './feeds.ts';
import { IN_ORDER, type SourceFinding } from './finding.ts';

export type { SourceFinding } from './finding.ts';

/** What `check --connect` finds when it asks where a source is read from. Its libraries are loaded only then. */
export async function inspectSource(config: ChangeSourceConfig): Promise<SourceFinding> {
  const { reader } = config;
  switch (reader.kind) {
    case 'postgres':
      return (await import('./postgres/index.ts')).inspectPostgres(config);
    case 'mysql': {
      const { inspectMysql } = await import('./mysql/index.ts');
      return inspectMysql({ server: mysqlServer(reader.url), serverId: reader.serverId }, config);
    }
    case 'redis':
      return (await import('./redis/index.ts')).inspectRedis(reader);
    case 'nats': {
      const { inspectNats } = await import('./nats/index.ts');
      return inspectNats({ ...reader, server: natsServer(reader.url) });
    }
    case 'kafka':
      return (await import('./kafka/index.ts')).inspectKafka(reader);
    case 'http':
      return IN_ORDER;
  }
}
