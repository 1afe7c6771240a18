import { badValue, type FunctionTable, method, type Overload, overload } from './function.ts';
import { checkedDuration, checkedTime } from './numbers.ts';
import { DURATION, INT, STRING, TIMESTAMP } from './types.ts';
import type { Duration, Timestamp } from './value.ts';

export const SECOND = 1_000_000_000n;
const MILLISECOND = 1_000_000n;

const TIMESTAMP_TEXT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|([+-])(\d\d):(\d\d))$/;

/** RFC 3339. */
export function parseTimestamp(text: string): Timestamp {
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
  const shift = shiftOf(match[9], match[10], match[11]);
  if (!exists || hour > 23 || minute > 59 || second > 59 || shift === null)
    throw badValue(`there is no such time as ${text}`);
  date.setUTCHours(hour, minute, second);
  return checkedTime(BigInt(date.getTime() - shift) * MILLISECOND + parts(match[7] ?? '.', SECOND));
}

/** How far a clock with this offset from UTC is ahead, in milliseconds; null where no clock has such an offset. */
function shiftOf(
  sign: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): number | null {
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  const milliseconds = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -milliseconds : milliseconds;
}

/** The part of a unit that decimals such as `.25` stand for. */
function parts(decimals: string, unit: bigint): bigint {
  const digits = decimals.slice(1);
  return digits === '' ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
}

/** The whole units before a point in time, also of one before 1970. */
export function wholeUnits(nanoseconds: bigint, unit: bigint): bigint {
  const rest = nanoseconds % unit;
  return (nanoseconds - rest) / unit - (rest < 0n ? 1n : 0n);
}

/** What a clock in UTC shows, to the millisecond. */
export function clockOf(time: Timestamp): Date {
  return new Date(Number(wholeUnits(time.nanoseconds, MILLISECOND)));
}

export function timestampText(time: Timestamp): string {
  const second = wholeUnits(time.nanoseconds, SECOND);
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  return `${text}${decimals(time.nanoseconds - second * SECOND)}Z`;
}

/** Nanoseconds of less than a second behind a point, without zeros at the end. */
function decimals(nanoseconds: bigint): string {
  return nanoseconds === 0n ? '' : `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`;
}

const UNITS: Record<string, bigint> = {
  h: 3600n * SECOND,
  m: 60n * SECOND,
  s: SECOND,
  ms: MILLISECOND,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ns: 1n,
};
const DURATION_PART = /(\d*)(\.\d*)?(h|ms|m|s|us|µs|μs|ns)/y;

/** `1h30m`, `250ms`, `-1.5s`, `0`. */
export function parseDuration(text: string): Duration {
  const wrong = () => badValue('a duration looks like 1h30m, 5s or 250ms');
  if (text.length > 100) throw wrong();
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  if (text === `${sign}0`) return checkedDuration(0n);
  let nanoseconds = 0n;
  DURATION_PART.lastIndex = sign.length;
  do {
    const part = DURATION_PART.exec(text);
    if (part === null || !/\d/.test(part[0])) throw wrong();
    const unit = UNITS[part[3]!]!;
    nanoseconds += BigInt(part[1]!) * unit + parts(part[2] ?? '.', unit);
  } while (DURATION_PART.lastIndex < text.length);
  return checkedDuration(sign === '-' ? -nanoseconds : nanoseconds);
}

/** In seconds, as CEL says: `5400s`, `1.5s`. */
export function durationText({ nanoseconds }: Duration): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  return `${sign}${size / SECOND}${decimals(size % SECOND)}s`;
}

/** Asking the table of time zones costs far more than a step. */
const STEPS_PER_ZONE = 100;
/** No zone has a longer name. */
const LONGEST_ZONE = 64;

/** A time's parts on a clock: in UTC, or in the zone that is named. */
function onClock(read: (clock: Date) => number): Overload[] {
  return [
    overload([TIMESTAMP], INT, (_, time: Timestamp) => BigInt(read(clockOf(time)))),
    overload([TIMESTAMP, STRING], INT, (frame, time: Timestamp, zone: string) => {
      frame.spend(STEPS_PER_ZONE);
      return BigInt(read(inZone(clockOf(time), zone)));
    }),
  ];
}

/** The UTC time that shows what a clock in the zone shows at `time`. */
function inZone(time: Date, zone: string): Date {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed === null) return new Date(time.getTime() + shiftIn(zone, time));
  const shift = shiftOf(fixed[1] === '-' ? '-' : '+', fixed[2], fixed[3]);
  if (shift === null) throw noZone();
  return new Date(time.getTime() + shift);
}

/** How far clocks in a zone were ahead of UTC at a time, in milliseconds. */
function shiftIn(zone: string, time: Date): number {
  const name = zoneFormat(zone)
    .formatToParts(time)
    .find(({ type }) => type === 'timeZoneName')!.value;
  const [, sign, hours, minutes, seconds] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name)!;
  return shiftOf(sign, hours, minutes)! + Number(`${sign}${seconds ?? 0}`) * 1000;
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>();
/** There are about 600 names of zones; a request that invents more must not fill the memory. */
const MOST_ZONES = 1000;

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zoneFormats.get(zone);
  if (known !== undefined) return known;
  try {
    if (zone.length > LONGEST_ZONE) throw new RangeError('too long');
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    if (zoneFormats.size < MOST_ZONES) zoneFormats.set(zone, format);
    return format;
  } catch {
    throw noZone();
  }
}

function noZone(): Error {
  return badValue('a time zone is named like Europe/Berlin, or written like +02:00');
}

function dayOfYear(clock: Date): number {
  const newYear = new Date(clock);
  newYear.setUTCMonth(0, 1);
  return Math.round((clock.getTime() - newYear.getTime()) / 86_400_000);
}

const whole = (unit: bigint): Overload =>
  overload([DURATION], INT, (_, duration: Duration) => duration.nanoseconds / unit);

/** CEL's accessors of timestamps and durations. */
export const TIME_FUNCTIONS: FunctionTable = {
  getFullYear: method(...onClock((clock) => clock.getUTCFullYear())),
  getMonth: method(...onClock((clock) => clock.getUTCMonth())),
  getDate: method(...onClock((clock) => clock.getUTCDate())),
  getDayOfMonth: method(...onClock((clock) => clock.getUTCDate() - 1)),
  getDayOfWeek: method(...onClock((clock) => clock.getUTCDay())),
  getDayOfYear: method(...onClock(dayOfYear)),
  getHours: method(...onClock((clock) => clock.getUTCHours()), whole(3600n * SECOND)),
  getMinutes: method(...onClock((clock) => clock.getUTCMinutes()), whole(60n * SECOND)),
  getSeconds: method(...onClock((clock) => clock.getUTCSeconds()), whole(SECOND)),
  getMilliseconds: method(
    ...onClock((clock) => clock.getUTCMilliseconds()),
    overload([DURATION], INT, (_, duration: Duration) => (duration.nanoseconds % SECOND) / MILLISECOND),
  ),
};
