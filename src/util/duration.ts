/** A length of time as a config spells it. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** Milliseconds of each unit. */
export const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const FORM = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)$/;
/** 10 years: beyond it stands no duration that somebody meant. */
const LONGEST = 3650 * DURATION_UNITS.d;

/** What is wrong with a duration, in words, and what to write instead; null if nothing. */
export function durationError(text: string): { message: string; advice: string } | null {
  const example = 'write a number with a unit: 250ms, 5s, 10m, 1h or 7d';
  const tooLong = { message: `"${text}" is longer than 10 years`, advice: example };
  // By its digits alone, whatever their unit is.
  if (/^\d{16}/.test(text)) return tooLong;
  if (/^\d+(\.\d+)?$/.test(text)) {
    return {
      message: `"${text}" has no unit`,
      advice: `say "${text}s" for seconds or "${text}ms" for milliseconds`,
    };
  }
  if (/^-/.test(text)) return { message: `a duration cannot be negative`, advice: example };
  const spaced = text.replaceAll(/\s/g, '');
  if (spaced !== text && FORM.test(spaced)) {
    return { message: `"${text}" has a space in it`, advice: `write "${spaced}"` };
  }
  if (/^(\d+(h|m|s|ms|d)){2,}$/.test(text)) {
    return {
      message: `"${text}" joins several units`,
      advice: 'write one number with one unit: 90m for 1h30m',
    };
  }
  const match = FORM.exec(text);
  if (match === null) return { message: `"${text}" is not a duration`, advice: unitAdvice(text) ?? example };
  return parseDuration(text) > LONGEST ? tooLong : null;
}

function unitAdvice(text: string): string | null {
  const [, amount, word] = /^(\d+(?:\.\d+)?)\s*([a-zµ]+)$/i.exec(text) ?? [];
  if (amount === undefined || word === undefined) return null;
  const unit = WORDS[word.toLowerCase()];
  if (unit === undefined) return null;
  return unit === 'w' ? `write "${Number(amount) * 7}d"` : `write "${amount}${unit}"`;
}

const WORDS: Record<string, string> = {
  ms: 'ms',
  msec: 'ms',
  msecs: 'ms',
  millis: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  s: 's',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  m: 'm',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  h: 'h',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  d: 'd',
  day: 'd',
  days: 'd',
  w: 'w',
  week: 'w',
  weeks: 'w',
};

/** Milliseconds of a duration that `durationError` finds nothing wrong with; throws a RangeError otherwise. */
export function parseDuration(text: string): number {
  const match = FORM.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a duration`);
  return Math.round(Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS]);
}

/** Milliseconds in the largest unit that keeps them whole: 90000 is `90s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === Number.POSITIVE_INFINITY) return 'none';
  if (milliseconds === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (milliseconds % DURATION_UNITS[unit] === 0) return `${milliseconds / DURATION_UNITS[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}
