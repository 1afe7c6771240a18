import { systemClock } from '../util/clock.ts';
import { type LineWriter, stdoutWriter } from './line-writer.ts';

/** What an entry tells beside its message: plain values, which become members of the JSON line. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The gateway's own log: one entry for each change of state. Never throws, never blocks.
 * Values that must not be seen are `Secret`s, whose JSON is a mask.
 */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, with `fields` in every entry. */
  with(fields: LogFields): Logger;
}

export type LogLevel = 'info' | 'warn' | 'error';
/** `json`: one object a line. `text`: short lines for a person's eyes. */
export type LogFormat = 'json' | 'text';

export interface LoggerOptions {
  /** Default: `text` where standard output is a terminal, else `json`. */
  format?: LogFormat;
  writer?: Pick<LineWriter, 'write'>;
  wall?: () => number;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const format = options.format ?? (process.stdout.isTTY ? 'text' : 'json');
  const writer = options.writer ?? stdoutWriter();
  const wall = options.wall ?? systemClock.wall;
  const render = format === 'json' ? jsonLine : textLine;
  return bind({}, (level, message, fields) => writer.write(render(wall(), level, message, fields)));
}

/** A log that nobody reads. */
export const silentLogger: Logger = bind({}, () => {});

type Emit = (level: LogLevel, message: string, fields: LogFields) => void;

/** A log whose entries go there. */
export function logTo(emit: Emit): Logger {
  return bind({}, emit);
}

function bind(bound: LogFields, emit: Emit): Logger {
  const entry = (level: LogLevel) => (message: string, fields?: LogFields) =>
    emit(level, message, fields === undefined ? bound : { ...bound, ...fields });
  return {
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
    with: (fields) => bind({ ...bound, ...fields }, emit),
  };
}

/** `{"time":"…","level":"info","message":"…",…}`: time first, so that lines sort. */
export function jsonLine(at: number, level: LogLevel, message: string, fields: LogFields): string {
  const head = { time: new Date(at).toISOString(), level, message };
  try {
    return `${JSON.stringify({ ...head, ...presentable(fields) })}\n`;
  } catch {
    // A circular value must not cost the entry.
    return `${JSON.stringify({ ...head, fields: '(not representable as JSON)' })}\n`;
  }
}

const MARKS: Record<LogLevel, string> = { info: '', warn: 'warning: ', error: 'error: ' };

/** `12:34:56 worker 2: message (route=a status=502)`; a value of several lines stands below, as it is. */
export function textLine(at: number, level: LogLevel, message: string, fields: LogFields): string {
  const { worker, ...rest } = presentable(fields);
  const who = worker === undefined ? '' : `worker ${worker}: `;
  const values = Object.entries(rest);
  const short = values
    .filter(([, value]) => !isLong(value))
    .map(([name, value]) => `${name}=${plain(value)}`);
  const more = short.length === 0 ? '' : ` (${short.join(' ')})`;
  const blocks = values
    .filter(([, value]) => isLong(value))
    .map(([, value]) => `\n${(value as string).trimEnd()}`);
  return `${localTime(at)} ${MARKS[level]}${printable(`${who}${message}${more}${blocks.join('')}`)}\n`;
}

function isLong(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\n');
}

/** Errors tell their message and code: JSON of an Error is `{}`. */
function presentable(fields: LogFields): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    shown[name] = value instanceof Error ? errorText(value) : value;
  }
  return shown;
}

function errorText(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value.includes(' ') ? JSON.stringify(value) : value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return '(not representable)';
  }
}

function localTime(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}

/** No entry may move the cursor of the terminal or forge a line that looks like another one's start. */
function printable(text: string): string {
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '?').replaceAll('\n', '\n         ');
}
