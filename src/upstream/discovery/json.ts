import { isIP } from 'node:net';

/** What an answer says. Throws without the parser's own words, which would show a part of it. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the answer is not JSON');
  }
}

/** A member of what may be anything. */
export function part(of: unknown, key: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[key] : undefined;
}

/** For a message: a name that may be anything, and of any length. */
export function shown(name: unknown): string {
  return JSON.stringify(name ?? null).slice(0, 100);
}

export function isHost(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 253) return false;
  return isIP(value) !== 0 || /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/.test(value);
}

export function isPort(value: unknown): value is number {
  return isWhole(value, 65_535);
}

/** From 1 to `most`. */
export function isWhole(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
