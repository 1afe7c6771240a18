/** At most three significant digits: `0`, `0.42`, `17.3`, `1.2 k`. */
export function amount(value: number): string {
  if (value >= 999_500) return `${digits(value / 1e6)} M`;
  if (value >= 9_995) return `${digits(value / 1000)} k`;
  return digits(value);
}

function digits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  if (value >= 10) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(2).replace(/\.?0+$/, '') || '0';
}

const NOTHING = '–';

/** A time in seconds, as people say it; null: there is none. */
export function duration(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds === 0) return '0 s';
  if (seconds < 0.001) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 1) return `${digits(seconds * 1000)} ms`;
  if (seconds < 120) return `${digits(seconds)} s`;
  if (seconds < 7200) return `${digits(seconds / 60)} min`;
  return seconds < 172_800 ? `${digits(seconds / 3600)} h` : `${digits(seconds / 86_400)} d`;
}

export function percent(share: number | null): string {
  return share === null ? NOTHING : `${digits(share * 100)} %`;
}

/** `21:44:59`, where the terminal stands. */
export function clock(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

const BARS = '▁▂▃▄▅▆▇█';

/** The last values as bars; the height stands for `least` where all of them are below. */
export function sparkline(values: readonly (number | null)[], width: number, least: number): string {
  const shown = width <= 0 ? [] : values.slice(-width);
  const most = Math.max(least, ...shown.map((value) => value ?? 0));
  return shown.map((value) => (value === null ? ' ' : barOf(value / most))).join('');
}

function barOf(share: number): string {
  return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))]!;
}
