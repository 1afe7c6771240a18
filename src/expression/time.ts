import { badValue, type FunctionTable, method, type Overload, overload } from './function.ts';
import { checkedDuration, checkedTime } from './numbers.ts';
import { DURATION, INT, STRING, TIMESTAMP } from './types.ts';
import type { Duration } from './value.ts';

const TIMESTAMP_TEXT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|([+-])(\d\d):(\d\d))$/;

/** RFC 3339; kept to the millisecond. */
export function parseTimestamp(text: string): Date {
  const match = text.length <= 40 ? TIMESTAMP_TEXT.exec(text) : null;
  if (match === null) throw badValue('a timestamp looks like 2024-05-17T09:30:00Z');
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) throw badValue(`there is no such time as ${text}`);
  date.setUTCHours(hour, minute, second, Math.floor(Number(`0${match[7] ?? ''}`) * 1000));
  return checkedTime(date.getTime() - offset(match[9], match[10], match[11]));
}

function offset(sign: string | undefined, hours: string | undefined, minutes: string | undefined): number {
  if (sign === undefined) return 0;
  const milliseconds = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -milliseconds : milliseconds;
}

export function timestampText(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, 'Z');
}

const UNITS: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)/y;

/** `1h30m`, `250ms`, `-1.5s`, `0`. */
export function parseDuration(text: string): Duration {
  const wrong = () => badValue('a duration looks like 1h30m, 5s or 250ms');
  if (text.length > 100) throw wrong();
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  if (text === `${sign}0`) return checkedDuration(0);
  let milliseconds = 0;
  DURATION_PART.lastIndex = sign.length;
  do {
    const part = DURATION_PART.exec(text);
    if (part === null) throw wrong();
    milliseconds += Number(part[1]) * UNITS[part[2]!]!;
  } while (DURATION_PART.lastIndex < text.length);
  return checkedDuration(sign === '-' ? -milliseconds : milliseconds);
}

/** In seconds, as CEL says: `5400s`, `1.5s`. */
export function durationText(duration: Duration): string {
  const seconds = duration.milliseconds / 1000;
  return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(9).replace(/0+$/, '')}s`;
}

/** Asking the table of time zones costs far more than a step. */
const STEPS_PER_ZONE = 100;
/** No zone has a longer name. */
const LONGEST_ZONE = 64;

/** A time's parts on a clock: in UTC, or in the zone that is named. */
function onClock(read: (clock: Date) => number): Overload[] {
  return [
    overload([TIMESTAMP], INT, (_, time: Date) => BigInt(read(time))),
    overload([TIMESTAMP, STRING], INT, (frame, time: Date, zone: string) => {
      frame.spend(STEPS_PER_ZONE);
      return BigInt(read(inZone(time, zone)));
    }),
  ];
}

/** The UTC time that shows what a clock in the zone shows at `time`. */
function inZone(time: Date, zone: string): Date {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null)
    return new Date(time.getTime() + offset(fixed[1] === '-' ? '-' : '+', fixed[2], fixed[3]));
  const parts: Record<string, number> = {};
  for (const { type, value } of zoneFormat(zone).formatToParts(time)) parts[type] = Number(value);
  const shownTime = Date.UTC(
    parts.year!,
    parts.month! - 1,
    parts.day!,
    parts.hour!,
    parts.minute!,
    parts.second!,
  );
  return new Date(shownTime + time.getUTCMilliseconds());
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>();
/** There are about 600 names of zones; a request that invents more must not fill the memory. */
const MOST_ZONES = 1000;

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zoneFormats.get(zone);
  if (known !== undefined) return known;
  try {
    if (zone.length > LONGEST_ZONE) throw new RangeError('too long');
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (zoneFormats.size < MOST_ZONES) zoneFormats.set(zone, format);
    return format;
  } catch {
    throw badValue('a time zone is named like Europe/Berlin, or written like +02:00');
  }
}

function dayOfYear(clock: Date): number {
  const newYear = new Date(clock);
  newYear.setUTCMonth(0, 1);
  return Math.round((clock.getTime() - newYear.getTime()) / 86_400_000);
}

const whole = (unit: number): Overload =>
  overload([DURATION], INT, (_, duration: Duration) => BigInt(Math.trunc(duration.milliseconds / unit)));

/** CEL's accessors of timestamps and durations. */
export const TIME_FUNCTIONS: FunctionTable = {
  getFullYear: method(...onClock((clock) => clock.getUTCFullYear())),
  getMonth: method(...onClock((clock) => clock.getUTCMonth())),
  getDate: method(...onClock((clock) => clock.getUTCDate())),
  getDayOfMonth: method(...onClock((clock) => clock.getUTCDate() - 1)),
  getDayOfWeek: method(...onClock((clock) => clock.getUTCDay())),
  getDayOfYear: method(...onClock(dayOfYear)),
  getHours: method(...onClock((clock) => clock.getUTCHours()), whole(3_600_000)),
  getMinutes: method(...onClock((clock) => clock.getUTCMinutes()), whole(60_000)),
  getSeconds: method(...onClock((clock) => clock.getUTCSeconds()), whole(1000)),
  getMilliseconds: method(
    ...onClock((clock) => clock.getUTCMilliseconds()),
    overload([DURATION], INT, (_, duration: Duration) => BigInt(Math.trunc(duration.milliseconds % 1000))),
  ),
};
