import type { ChangeSourceInput } from '../schema/index.ts';
import type { Findings } from './findings.ts';

interface Place {
  readonly reader: 'mysql' | 'kafka' | 'redis' | 'nats';
  /** Equal where two sources would take each other's events. */
  readonly key: string;
  readonly what: string;
}

/** Finds sources that read by the same right, so that each would see only a part. */
export function checkFeedPlaces(
  sources: readonly (readonly [string, ChangeSourceInput])[],
  findings: Findings,
): void {
  const taken = new Map<string, string>();
  for (const [name, source] of sources) {
    for (const { key, reader, what } of placesOf(source)) {
      const other = taken.get(`${reader} ${key}`);
      taken.set(`${reader} ${key}`, other ?? name);
      if (other === undefined || other === name) continue;
      findings.error(
        'TG_CONFIG_CONFLICT',
        ['changes', name, reader],
        `the sources "${other}" and "${name}" read by the same ${what}`,
        `give each a ${what.split(' ')[0]} of its own, or make one source of them`,
        { atKey: true, also: { path: ['changes', other, reader], atKey: true } },
      );
      break;
    }
  }
}

function placesOf({ mysql, kafka, redis, nats }: ChangeSourceInput): Place[] {
  if (mysql?.url !== undefined)
    return [
      {
        reader: 'mysql',
        key: `${addressOf(mysql.url, 3306)} ${mysql.serverId}`,
        what: `serverId ${mysql.serverId}`,
      },
    ];
  if (redis?.url !== undefined) {
    const { group = 'tidegate', streams = [] } = redis;
    const at = addressOf(redis.url, 6379);
    return streams.map((stream) => ({
      reader: 'redis',
      key: `${at} ${group} ${stream}`,
      what: `group "${group}"`,
    }));
  }
  if (nats?.url !== undefined) {
    const { stream = 'DebeziumStream', durable = 'tidegate' } = nats;
    return [
      {
        reader: 'nats',
        key: `${addressOf(nats.url, 4222)} ${stream} ${durable}`,
        what: `durable "${durable}"`,
      },
    ];
  }
  if (kafka === undefined) return [];
  const { brokers = [], group = 'tidegate' } = kafka;
  return brokers.map((broker) => ({ reader: 'kafka', key: `${broker} ${group}`, what: `group "${group}"` }));
}

function addressOf(url: string, port: number): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  return `${parsed.hostname}:${parsed.port || port}`;
}
