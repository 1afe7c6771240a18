import type { MatchConfig, ValueMatch } from '../config/model.ts';
import { compilePattern } from '../util/pattern.ts';
import type { Candidate } from './candidate.ts';
import { foldPath } from './fold.ts';
import { decode } from './params.ts';
import type { PathPattern, PathSegment } from './path-pattern.ts';
import { UNIVERSAL } from './segment-matcher.ts';

/** RE2 that takes every path: they begin with a slash and hold no line breaks. */
const UNIVERSAL_PATH = new Set([...UNIVERSAL, '/.*', '^/.*', '^/.*$', '/(.*)', '^/(.*)$']);

/**
 * Does `a` surely take every request that `b` would, its method aside? Both are of one listener and host.
 * False also means: not known.
 */
export function covers(a: Candidate<unknown>, b: Candidate<unknown>): boolean {
  return pathCovers(a.path, b.path) && conditionsCover(a.route.match, b.route.match);
}

/** Is it a path that may cover others of quite another shape? */
export function isWide(path: PathPattern | null): boolean {
  if (path === null) return true;
  if (path.kind === 'regex') return UNIVERSAL_PATH.has(path.pattern.source);
  if (path.kind === 'exact') return false;
  return path.segments[0]!.kind === 'rest' || path.segments.some(isUniversal);
}

/** Paths of different shapes never cover each other, wide ones aside. */
export function shapeOf(path: PathPattern | null): string {
  if (path === null) return '';
  if (path.kind === 'exact') return foldPath(path.path);
  if (path.kind === 'regex') return `~${path.pattern.source}`;
  return path.segments.map(segmentShape).join('/');
}

function segmentShape(segment: PathSegment): string {
  if (segment.kind === 'literal') return foldPath(segment.text);
  return segment.kind === 'pattern' ? `{${segment.matcher.key}}` : `{${segment.kind}}`;
}

function pathCovers(a: PathPattern | null, b: PathPattern | null): boolean {
  if (a === null) return true;
  if (isWide(a) && a.kind === 'regex') return true;
  if (a.kind === 'segments' && a.segments[0]!.kind === 'rest') return true;
  if (b === null) return false;
  if (a.kind === 'regex') {
    return b.kind === 'regex' && a.pattern.source === b.pattern.source && (a.ignoreCase || !b.ignoreCase);
  }
  if (a.kind === 'exact') return b.kind === 'exact' && textCovers(a.path, a.ignoreCase, b.path, b.ignoreCase);
  return b.kind !== 'regex' && segmentsCover(a, b);
}

function segmentsCover(
  a: PathPattern & { kind: 'segments' },
  b: Exclude<PathPattern, { kind: 'regex' }>,
): boolean {
  const theirs = b.kind === 'segments' ? b.segments : literals(b.path);
  for (const [i, segment] of a.segments.entries()) {
    if (segment.kind === 'rest') return true;
    const other = theirs[i];
    if (
      other === undefined ||
      other.kind === 'rest' ||
      !segmentCovers(segment, a.ignoreCase, other, b.ignoreCase)
    )
      return false;
  }
  return a.segments.length === theirs.length;
}

function literals(path: string): PathSegment[] {
  return path
    .slice(1)
    .split('/')
    .map((text) => ({ kind: 'literal', text }));
}

function segmentCovers(a: PathSegment, aFolds: boolean, b: PathSegment, bFolds: boolean): boolean {
  if (a.kind === 'literal') return b.kind === 'literal' && textCovers(a.text, aFolds, b.text, bFolds);
  if (b.kind === 'literal' && b.text === '') return false;
  if (a.kind === 'name' || isUniversal(a)) return true;
  if (a.kind !== 'pattern') return false;
  if (b.kind === 'pattern') return a.matcher.key === b.matcher.key;
  return b.kind === 'literal' && !bFolds && a.matcher.matches(decode(b.text));
}

function isUniversal(segment: PathSegment): boolean {
  return segment.kind === 'pattern' && segment.matcher.universal;
}

function textCovers(a: string, aFolds: boolean, b: string, bFolds: boolean): boolean {
  if (aFolds) return foldPath(a) === foldPath(b);
  return !bFolds && a === b;
}

function conditionsCover(a: MatchConfig, b: MatchConfig): boolean {
  return (
    valuesCover(lowerNames(a.headers), lowerNames(b.headers)) &&
    valuesCover(a.query, b.query) &&
    valuesCover(a.cookies, b.cookies) &&
    (a.ip.length === 0 || (b.ip.length > 0 && b.ip.every((range) => a.ip.includes(range)))) &&
    (a.when === null || a.when === b.when)
  );
}

function lowerNames(headers: Record<string, ValueMatch>): Record<string, ValueMatch> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function valuesCover(a: Record<string, ValueMatch>, b: Record<string, ValueMatch>): boolean {
  return Object.entries(a).every(([name, value]) =>
    valueCovers(value, Object.hasOwn(b, name) ? b[name] : undefined),
  );
}

function valueCovers(a: ValueMatch, b: ValueMatch | undefined): boolean {
  if (b === undefined || a === b) return a === b;
  if (typeof b === 'boolean') return false;
  if (a === true) return true;
  return (
    typeof a === 'string' && a.startsWith('~') && !b.startsWith('~') && compilePattern(a.slice(1)).matches(b)
  );
}
