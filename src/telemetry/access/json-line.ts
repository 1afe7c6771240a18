import { cacheOutcome } from '../../http/cache-outcome.ts';
import { getHeader } from '../../http/headers.ts';
import type { LineBytes } from '../line-bytes.ts';
import { type AccessRecord, codeOf, detailOf, refererOf, statusOf, subjectOf } from './record.ts';
import { quoted, writeQuoted } from './text.ts';

/** What a config adds to each line, or writes in the place of a usual member: JSON; null: left out. */
export interface OwnField {
  readonly name: string;
  value(record: AccessRecord): string | null;
}

/** The usual members of a line, in their order. */
const MEMBERS = {
  time: 'string',
  id: 'string',
  ip: 'string',
  method: 'string',
  scheme: 'string',
  host: 'string',
  path: 'string',
  protocol: 'string',
  status: 'number',
  bytes: 'number',
  received: 'number',
  duration: 'number',
  route: 'string',
  service: 'string',
  target: 'string',
  cache: 'string',
  code: 'string',
  detail: 'string',
  subject: 'string',
  referer: 'string',
  userAgent: 'string',
} as const;
type Name = keyof typeof MEMBERS;

/** What stands before the value of each member, of strings their first quote included; null: the config has its own. */
type Keys = Readonly<Record<Name, string | null>>;

const PROTOCOLS: Readonly<Record<number, string>> = { 10: 'HTTP/1.0', 11: 'HTTP/1.1', 20: 'HTTP/2' };

const BEGIN = '{'.charCodeAt(0);

/** Compiles how a request becomes a line of JSON. What has no value is left out. */
export function jsonLine(own: readonly OwnField[]): (record: AccessRecord, line: LineBytes) => void {
  const keys = keysWithout(new Set(own.map(({ name }) => name)));
  const fields = own.map((field) => ({ key: `,${quoted(field.name)}:`, field }));
  return (record, line) => {
    const begin = line.length;
    writeUsual(line, keys, record);
    for (const { key, field } of fields) writeOwn(line, key, field.value(record));
    if (line.length === begin) line.ascii('{');
    // The first member's comma.
    else line.bytes[begin] = BEGIN;
    line.ascii('}\n');
  };
}

function keysWithout(replaced: ReadonlySet<string>): Keys {
  const keys = Object.entries(MEMBERS).map(([name, type]) => {
    const key = type === 'string' ? `,${quoted(name)}:"` : `,${quoted(name)}:`;
    return [name, replaced.has(name) ? null : key] as const;
  });
  return Object.fromEntries(keys) as Keys;
}

/** Member by member, without a loop: that costs half as much as calling a function for each. */
function writeUsual(line: LineBytes, keys: Keys, record: AccessRecord): void {
  const { exchange, target } = record;
  const { served, headers } = exchange;
  // Where no request could be read, nothing is known of it.
  const isRead = target !== null;
  named(line, keys.time, timestamp(record.wall));
  text(line, keys.id, exchange.id);
  named(line, keys.ip, exchange.ip);
  if (isRead) text(line, keys.method, exchange.method);
  if (isRead) named(line, keys.scheme, exchange.scheme);
  text(line, keys.host, exchange.host);
  text(line, keys.path, target);
  if (isRead) named(line, keys.protocol, PROTOCOLS[exchange.version]);
  count(line, keys.status, statusOf(record));
  count(line, keys.bytes, record.bytes);
  count(line, keys.received, exchange.received);
  milliseconds(line, keys.duration, record.duration);
  named(line, keys.route, exchange.route?.name);
  named(line, keys.service, served?.service);
  text(line, keys.target, served?.name);
  named(line, keys.cache, cacheOutcome(exchange.cache));
  named(line, keys.code, codeOf(record));
  text(line, keys.detail, detailOf(record));
  text(line, keys.subject, subjectOf(exchange));
  text(line, keys.referer, refererOf(record));
  text(line, keys.userAgent, getHeader(headers, 'user-agent'));
}

function writeOwn(line: LineBytes, key: string, value: string | null): void {
  if (value === null) return;
  line.utf8(key);
  line.utf8(value);
}

/** Names of the config and of the gateway's own, and what it has made itself, hold nothing that must be escaped. */
function named(line: LineBytes, key: string | null, value: string | null | undefined): void {
  if (key !== null && value != null) line.string(key, value);
}

function text(line: LineBytes, key: string | null, value: string | null | undefined): void {
  if (key !== null && value != null && value !== '') writeQuoted(line, key, value);
}

function count(line: LineBytes, key: string | null, value: number): void {
  if (key === null) return;
  line.ascii(key);
  line.count(value);
}

function milliseconds(line: LineBytes, key: string | null, value: number): void {
  if (key === null) return;
  line.ascii(key);
  line.milliseconds(value);
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
