import { DURATION_UNITS } from './duration.ts';
import { parseSize, type SizeText, sizeError } from './size.ts';

/** Bytes in a second: `1KiB/s`. */
export type ByteRateText = `${SizeText}/s`;

export interface Rate {
  count: number;
  /** The window, in milliseconds. */
  per: number;
}

const FORM = /^(\d{1,12})\/(\d{0,6})(s|m|h|d)$/;

/** What is wrong with a rate, in words, and what to write instead; null if nothing. */
export function rateError(text: string): { message: string; advice: string } | null {
  const example = 'write a count, a slash and a time: 100/s, 5/15m, 1000/h';
  if (/^\d{13}/.test(text)) return { message: `"${text}" is too large`, advice: example };
  if (/^\d+$/.test(text)) {
    return { message: `"${text}" does not say in how long a time`, advice: `say "${text}/s" or "${text}/m"` };
  }
  const match = FORM.exec(text);
  if (match === null) return { message: `"${text}" is not a rate`, advice: example };
  if (Number(match[1]) === 0) return { message: 'a rate of 0 would refuse everything', advice: example };
  if (match[2] !== '' && Number(match[2]) === 0) return { message: `"${text}" has no time`, advice: example };
  return null;
}

/** A rate that `rateError` finds nothing wrong with; throws a RangeError otherwise. */
export function parseRate(text: string): Rate {
  const match = FORM.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a rate`);
  const times = match[2] === '' ? 1 : Number(match[2]);
  return { count: Number(match[1]), per: times * DURATION_UNITS[match[3] as 's' | 'm' | 'h' | 'd'] };
}

/** As a config spells it, by the greatest unit that fits: `600/m`, `5/15m`. */
export function formatRate({ count, per }: Rate): string {
  const units = ['d', 'h', 'm', 's'] as const;
  const unit = units.find((one) => per % DURATION_UNITS[one] === 0) ?? 's';
  const times = per / DURATION_UNITS[unit];
  return `${count}/${times === 1 ? '' : times}${unit}`;
}

/** What is wrong with a byte rate, in words, and what to write instead; null if nothing. */
export function byteRateError(text: string): { message: string; advice: string } | null {
  const example = 'write bytes a second: 512B/s, 1KiB/s';
  if (!text.endsWith('/s')) {
    const advice = sizeError(text) === null ? `say "${text}/s"` : example;
    return { message: `"${text}" is not a number of bytes a second`, advice };
  }
  return sizeError(text.slice(0, -2));
}

/** Bytes a second of what `byteRateError` finds nothing wrong with; throws a RangeError otherwise. */
export function parseByteRate(text: string): number {
  if (!text.endsWith('/s')) throw new RangeError(`"${text}" is not a number of bytes a second`);
  return parseSize(text.slice(0, -2));
}
