/** At most three significant digits: `0`, `0.42`, `17.3`, `1.2 k`. */
export function amount(value: number): string {
  if (value === 0) return '0';
  if (value >= 999_500) return `${digits(value / 1e6)} M`;
  if (value >= 9_995) return `${digits(value / 1000)} k`;
  return digits(value);
}

export function rate(value: number): string {
  return `${amount(value)}/s`;
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
  if (seconds < 1) return `${digits(seconds * 1000)} ms`;
  if (seconds < 120) return `${digits(seconds)} s`;
  if (seconds < 7200) return `${digits(seconds / 60)} min`;
  return seconds < 172_800 ? `${digits(seconds / 3600)} h` : `${digits(seconds / 86_400)} d`;
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

/** A code of the gateway's, and what is known beyond it. */
export function failureInWords({ code, cause }: { code: string; cause: string }): string {
  return cause === '' ? code : `${code}, ${cause}`;
}

export function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0]!;
}

/** Seconds, minutes, hours or days, rounded down. */
export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - ms) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
}
