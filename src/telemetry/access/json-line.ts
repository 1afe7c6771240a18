import { cacheOutcome } from '../../http/cache-outcome.ts';
import { getHeader } from '../../http/headers.ts';
import { LineBytes } from '../line-bytes.ts';
import { type AccessRecord, codeOf, detailOf, statusOf, subjectOf } from './record.ts';
import { quoted, writeQuoted } from './text.ts';

/** What a config adds to each line, or writes in the place of a usual member: JSON; null: left out. */
export interface OwnField {
  readonly name: string;
  value(record: AccessRecord): string | null;
}

/** Writes a member, its key first; nothing where it has no value. */
type Member = (line: LineBytes, key: string, record: AccessRecord) => void;

/** The usual members of a line, in their order. */
const MEMBERS: readonly (readonly [name: string, member: Member])[] = [
  ['time', (line, key, { wall }) => named(line, key, timestamp(wall))],
  ['id', (line, key, { exchange }) => text(line, key, exchange.id)],
  ['ip', (line, key, { exchange }) => named(line, key, exchange.ip)],
  ['method', (line, key, { exchange, target }) => target !== null && text(line, key, exchange.method)],
  ['scheme', (line, key, { exchange, target }) => target !== null && named(line, key, exchange.scheme)],
  ['host', (line, key, { exchange }) => text(line, key, exchange.host)],
  ['path', (line, key, { target }) => text(line, key, target)],
  [
    'protocol',
    (line, key, { exchange, target }) => target !== null && named(line, key, PROTOCOLS[exchange.version]),
  ],
  ['status', (line, key, record) => count(line, key, statusOf(record))],
  ['bytes', (line, key, { bytes }) => count(line, key, bytes)],
  ['received', (line, key, { exchange }) => count(line, key, exchange.received)],
  [
    'duration',
    (line, key, { duration }) => {
      line.ascii(key);
      line.milliseconds(duration);
    },
  ],
  ['route', (line, key, { exchange }) => named(line, key, exchange.route?.name)],
  ['service', (line, key, { exchange }) => named(line, key, exchange.served?.service)],
  ['target', (line, key, { exchange }) => text(line, key, exchange.served?.name)],
  ['cache', (line, key, { exchange }) => named(line, key, cacheOutcome(exchange.cache))],
  ['code', (line, key, record) => named(line, key, codeOf(record))],
  ['detail', (line, key, record) => text(line, key, detailOf(record))],
  ['subject', (line, key, { exchange }) => text(line, key, subjectOf(exchange))],
  ['referer', (line, key, { exchange }) => text(line, key, getHeader(exchange.headers, 'referer'))],
  ['userAgent', (line, key, { exchange }) => text(line, key, getHeader(exchange.headers, 'user-agent'))],
];

export const USUAL_MEMBERS: readonly string[] = MEMBERS.map(([name]) => name);

const PROTOCOLS: Readonly<Record<number, string>> = { 10: 'HTTP/1.0', 11: 'HTTP/1.1', 20: 'HTTP/2' };

const BEGIN = '{'.charCodeAt(0);

/** Compiles how a request becomes a line of JSON, in memory that all lines share. What has no value is left out. */
export function jsonLine(own: readonly OwnField[]): (record: AccessRecord) => LineBytes {
  const names = new Set(own.map(({ name }) => name));
  const usual = MEMBERS.filter(([name]) => !names.has(name));
  const members = [...usual, ...own.map((field) => [field.name, ownMember(field)] as const)].map(
    ([name, member]) => ({ key: `,${quoted(name)}:`, member }),
  );
  const line = new LineBytes();
  return (record) => {
    line.length = 0;
    for (const { key, member } of members) member(line, key, record);
    if (line.length === 0) line.ascii('{');
    // The first member's comma.
    else line.bytes[0] = BEGIN;
    line.ascii('}\n');
    return line;
  };
}

function ownMember(field: OwnField): Member {
  return (line, key, record) => {
    const value = field.value(record);
    if (value === null) return;
    line.utf8(key);
    line.utf8(value);
  };
}

/** Names of the config and of the gateway's own, and what it has made itself, hold nothing that must be escaped. */
function named(line: LineBytes, key: string, value: string | null | undefined): void {
  if (value == null) return;
  line.ascii(key);
  line.ascii('"');
  line.ascii(value);
  line.ascii('"');
}

function text(line: LineBytes, key: string, value: string | null | undefined): void {
  if (value == null || value === '') return;
  line.ascii(key);
  writeQuoted(line, value);
}

function count(line: LineBytes, key: string, value: number): void {
  line.ascii(key);
  line.count(value);
}

let lastSecond = Number.NaN;
let lastSecondText = '';
let lastWall = Number.NaN;
let lastTimestamp = '';

/** `2026-11-25T21:44:59.123Z`: what a second shares is made once. */
function timestamp(wall: number): string {
  if (wall === lastWall) return lastTimestamp;
  const second = Math.floor(wall / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastSecondText = new Date(second * 1000).toISOString().slice(0, 20);
  }
  lastWall = wall;
  lastTimestamp = `${lastSecondText}${String(Math.floor(wall) - second * 1000).padStart(3, '0')}Z`;
  return lastTimestamp;
}
