/** At most three significant digits: `0`, `0.42`, `17.3`, `1.2 k`. */
export function amount(value: number): string {
  if (value === 0) return '0';
  if (value >= 999_500) return `${digits(value / 1e6)} M`;
  if (value >= 9_995) return `${digits(value / 1000)} k`;
  return digits(value);
}

function digits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  if (value >= 10) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(2).replace(/\.?0+$/, '') || '0';
}

/** Seconds as people say them. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 0.001) return `${digits(seconds * 1e6)} µs`;
  return seconds < 1 ? `${digits(seconds * 1000)} ms` : `${digits(seconds)} s`;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${digits(share * 100)} %`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  return value < 1024 ** 2 ? `${digits(value / 1024)} KiB` : `${digits(value / 1024 ** 2)} MiB`;
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}
