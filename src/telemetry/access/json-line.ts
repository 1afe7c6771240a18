import { cacheOutcome } from '../../http/cache-outcome.ts';
import { getHeader } from '../../http/headers.ts';
import { type AccessRecord, codeOf, detailOf, statusOf, subjectOf } from './record.ts';
import { quoted } from './text.ts';

/** What a config adds to each line, or writes in the place of a usual member: JSON; null: left out. */
export interface OwnField {
  readonly name: string;
  value(record: AccessRecord): string | null;
}

type Member = (record: AccessRecord) => string | null;

/** The usual members of a line, in their order. */
const MEMBERS: readonly (readonly [name: string, member: Member])[] = [
  ['time', ({ wall }) => `"${timestamp(wall)}"`],
  ['id', ({ exchange }) => text(exchange.id)],
  ['ip', ({ exchange }) => `"${exchange.ip}"`],
  ['method', ({ exchange, target }) => (target === null ? null : text(exchange.method))],
  ['scheme', ({ exchange, target }) => (target === null ? null : `"${exchange.scheme}"`)],
  ['host', ({ exchange }) => text(exchange.host)],
  ['path', ({ target }) => text(target)],
  ['protocol', ({ exchange, target }) => (target === null ? null : PROTOCOLS[exchange.version]!)],
  ['status', (record) => String(statusOf(record))],
  ['bytes', ({ bytes }) => String(bytes)],
  ['received', ({ exchange }) => String(exchange.received)],
  ['duration', ({ duration }) => String(rounded(duration))],
  ['route', ({ exchange }) => named(exchange.route?.name)],
  ['service', ({ exchange }) => named(exchange.served?.service)],
  ['target', ({ exchange }) => text(exchange.served?.name)],
  ['cache', ({ exchange }) => named(cacheOutcome(exchange.cache))],
  ['code', (record) => named(codeOf(record))],
  ['detail', (record) => text(detailOf(record))],
  ['subject', ({ exchange }) => text(subjectOf(exchange))],
  ['referer', ({ exchange }) => text(getHeader(exchange.headers, 'referer'))],
  ['userAgent', ({ exchange }) => text(getHeader(exchange.headers, 'user-agent'))],
];

export const USUAL_MEMBERS: readonly string[] = MEMBERS.map(([name]) => name);

const PROTOCOLS: Readonly<Record<number, string>> = { 10: '"HTTP/1.0"', 11: '"HTTP/1.1"', 20: '"HTTP/2"' };

/** Compiles how a request becomes a line of JSON. What has no value is left out. */
export function jsonLine(own: readonly OwnField[]): (record: AccessRecord) => string {
  const names = new Set(own.map(({ name }) => name));
  const usual = MEMBERS.filter(([name]) => !names.has(name));
  const members: (readonly [string, Member])[] = [
    ...usual,
    ...own.map((field) => [field.name, (record: AccessRecord) => field.value(record)] as const),
  ];
  const keys = members.map(([name]) => `,${quoted(name)}:`);
  return (record) => {
    let line = '';
    for (let i = 0; i < members.length; i++) {
      const value = members[i]![1](record);
      if (value !== null) line += keys[i] + value;
    }
    return `{${line.slice(1)}}\n`;
  };
}

/** Names of the config and of the gateway's own hold nothing that must be escaped. */
function named(value: string | null | undefined): string | null {
  return value == null ? null : `"${value}"`;
}

function text(value: string | null | undefined): string | null {
  return value == null || value === '' ? null : quoted(value);
}

/** Microseconds are as fine as it makes sense. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

let lastWall = Number.NaN;
let lastTimestamp = '';

function timestamp(wall: number): string {
  if (wall !== lastWall) {
    lastWall = wall;
    lastTimestamp = new Date(wall).toISOString();
  }
  return lastTimestamp;
}
