import type { Understood } from './outcome.ts';

/** Null, or in what two readings of one message differ. Ours may lack what ends at a gateway. */
export function difference(mine: Understood, theirs: Understood): string | null {
  if (mine.what !== theirs.what) return 'method';
  if (mine.version !== theirs.version) return 'version';
  if (mine.body !== theirs.body) return 'body';
  if (mine.target !== originForm(theirs.target, mine.what)) return 'target';
  if (!sameHeaders(mine, theirs)) return 'headers';
  return sameTrailers(mine, theirs) ? null : 'trailers';
}

/** Node hands on an absolute target as it came. */
function originForm(target: string, method: string): string {
  const [, rest] = /^https?:\/\/[^/?]*(.*)$/i.exec(target) ?? [];
  if (rest === undefined) return target;
  if (rest === '' && method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Ours lack what Connection names, and nothing else. */
function sameHeaders(mine: Understood, theirs: Understood): boolean {
  const nominated = new Set(
    pairs(theirs.headers)
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase())),
  );
  const left = pairs(mine.headers);
  for (const [name, value] of pairs(theirs.headers)) {
    const next = left[0];
    if (next !== undefined && next[0] === name && next[1] === value) left.shift();
    else if (!nominated.has(name.toLowerCase())) return false;
  }
  return left.length === 0;
}

/** Ours lack those that may not stand in a trailer. */
function sameTrailers(mine: Understood, theirs: Understood): boolean {
  const known = pairs(theirs.trailers).map(String);
  return pairs(mine.trailers).every((trailer) => known.includes(String(trailer)));
}

/** A flat list of headers as pairs. */
export function pairs(headers: readonly string[]): [string, string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i]!, headers[2 * i + 1]!]);
}
