import type { ChangeReaderConfig } from '../../config/model.ts';

/** Which database a source follows, without what gives access to it. */
export function placeOf(reader: ChangeReaderConfig): string {
  switch (reader.kind) {
    case 'postgres':
    case 'mysql':
      return databaseOf(reader.url);
    case 'kafka':
      return [...reader.brokers, ...reader.topics].join(' ');
    case 'redis':
      return [...reader.redis.endpoints.map(({ host, port }) => `${host}:${port}`), ...reader.streams].join(
        ' ',
      );
    case 'nats':
      return `${new URL(reader.url).host} ${reader.stream}`;
    case 'http':
      return '';
  }
}

function databaseOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host + pathname;
}
