/**
 * How else a service might read a path: with `%2F` as a slash, without the `;parameters` of its segments, and
 * both in either order. Undefined, the usual case, where there is only the one reading; null where a reading
 * has an empty or a dot segment that `normalisePath` could not see (`/a%2F..%2Fb`, `/a/..;/b`).
 *
 * What is left of parameters alone may be empty (`/app/;jsessionid=1` is what servlet containers write).
 */
export function otherReadings(path: string): ReadonlySet<string> | null | undefined {
  const slashes = path.includes('%') && path.includes('%2F');
  const parameters = path.includes(';');
  // An encoded semicolon is text, but no honest client puts one behind a dot segment.
  if (path.includes('%') && /\/\.\.?(?:;|%3B)/.test(path)) return null;
  if (!slashes && !parameters) return undefined;
  const readings = new Set<string>();
  for (const reading of slashes ? [withSlashes(path), withSlashes(withoutParameters(path))] : [path]) {
    if (hasDots(reading) || (slashes && hasNewEmpty(reading, path))) return null;
    readings.add(reading);
    const bare = withoutParameters(reading);
    if (hasDots(bare)) return null;
    readings.add(bare.replaceAll(/\/{2,}/g, '/'));
  }
  readings.delete(path);
  return readings;
}

function withSlashes(path: string): string {
  return path.replaceAll('%2F', '/');
}

function withoutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, '');
}

function hasDots(path: string): boolean {
  return /\/\.\.?(?:\/|$)/.test(path);
}

/** A slash at the very end is only as good as one that stood there before. */
function hasNewEmpty(reading: string, path: string): boolean {
  return reading.includes('//') || (reading.endsWith('/') && !path.endsWith('/'));
}
