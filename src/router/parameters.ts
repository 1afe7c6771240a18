import type { MatchConfig } from '../config/model.ts';
import { PathPatternError } from './path-error.ts';
import { parsePathPattern } from './path-pattern.ts';

/** The path parameters of a route. */
export interface PathParameters {
  /** Names that stand in at least one of its paths. */
  names: string[];
  /** Those that stand for several segments, `*` included. */
  rest: string[];
  /** Names that some of its paths lack. */
  partial: string[];
  /** Those that one of its paths takes in any spelling: of no type and no pattern. */
  untyped: string[];
  /** Each of its paths ends in a rest. */
  alwaysRest: boolean;
}

/** What the paths of a route capture; null where one of them cannot be read. */
export function pathParameters(match: Pick<MatchConfig, 'paths' | 'ignoreCase'>): PathParameters | null {
  const paths: Captured[] = [];
  for (const path of match.paths) {
    const captured = capturedBy(path, match.ignoreCase);
    if (captured === null) return null;
    paths.push(captured);
  }
  const every = paths.map(({ names, rest }) => (rest === null ? names : [...names, rest]));
  const all = [...new Set(every.flat())];
  const rest = new Set(paths.flatMap((path) => (path.rest === null ? [] : [path.rest])));
  return {
    names: all.filter((name) => !rest.has(name)),
    rest: [...rest],
    partial: all.filter((name) => every.some((names) => !names.includes(name))),
    untyped: [...new Set(paths.flatMap((path) => path.untyped))],
    alwaysRest: paths.length > 0 && paths.every((path) => path.rest !== null),
  };
}

interface Captured {
  names: string[];
  untyped: string[];
  rest: string | null;
}

function capturedBy(path: string, ignoreCase: boolean): Captured | null {
  try {
    const pattern = parsePathPattern(path, ignoreCase);
    if (pattern.kind !== 'segments') return { names: [], untyped: [], rest: null };
    const names = pattern.segments.flatMap((segment) => {
      if (segment.kind === 'pattern') return segment.names;
      return segment.kind === 'name' ? [segment.name] : [];
    });
    const untyped = pattern.segments.flatMap((segment) => {
      if (segment.kind === 'pattern') return segment.untyped;
      return segment.kind === 'name' || segment.kind === 'rest' ? [segment.name] : [];
    });
    const last = pattern.segments.at(-1);
    return { names, untyped, rest: last?.kind === 'rest' ? last.name : null };
  } catch (error) {
    if (error instanceof PathPatternError) return null;
    throw error;
  }
}
