import type { ValueMatch } from '../config/model.ts';
import type { Candidate } from './candidate.ts';
import type { PathPattern } from './path-pattern.ts';

type Any = Candidate<unknown>;

/** One thing that two candidates for the same request are told apart by. */
interface Criterion {
  /** Negative: `a` is better. */
  compare(a: Any, b: Any): number;
  /** Why the better one is. */
  says(better: Any, worse: Any): string;
}

/** From the most important to the least; what none of them tells apart is one route, listing twice. */
const CRITERIA: readonly Criterion[] = [
  { compare: by((c) => Number(c.listener === null)), says: named('names its listener') },
  { compare: by(hostKey), says: named('names the host more exactly') },
  { compare: byText((c) => pathKey(c.path)), says: whyBetterPath },
  { compare: by((c) => Number(c.route.match.methods.length === 0)), says: named('names its method') },
  { compare: by((c) => -count(c.route.match.headers)), says: named('asks for more headers') },
  { compare: by((c) => -count(c.route.match.query)), says: named('asks for more query parameters') },
  { compare: by((c) => -count(c.route.match.cookies)), says: named('asks for more cookies') },
  { compare: byText((c) => exactness(c.route.match.headers)), says: named('names its headers more exactly') },
  {
    compare: byText((c) => exactness(c.route.match.query)),
    says: named('names its query parameters more exactly'),
  },
  { compare: byText((c) => exactness(c.route.match.cookies)), says: named('names its cookies more exactly') },
  { compare: by((c) => Number(c.route.match.ip.length === 0)), says: named('names addresses') },
  { compare: by((c) => Number(c.route.match.when === null)), says: named('has a `when`') },
  { compare: by((c) => c.route.index), says: named('stands earlier in the file') },
];

/** What tells two candidates for one request apart, said of the better one. */
export function whyBetter(better: Any, worse: Any): string {
  for (const criterion of CRITERIA) {
    if (criterion.compare(better, worse) < 0) return criterion.says(better, worse);
  }
  return `${better.route.name} stands earlier`;
}

function named(text: string): Criterion['says'] {
  return (better) => `${better.route.name} ${text}`;
}

function whyBetterPath(better: Any, worse: Any): string {
  if (worse.path === null) return `${better.pathText} is a path, and this route names none`;
  if (better.path?.kind === 'regex')
    return `${better.pathText} is RE2 over the whole path, which goes before names`;
  const [left, right] = [pathKey(better.path), pathKey(worse.path)];
  const at = [...left].findIndex((kind, i) => kind !== right[i]);
  return `${better.pathText} ${left[at] === '3' ? 'ends here' : left[at] === '2' ? 'leaves less open' : 'is more literal'}`;
}

/** Sorts candidates from the best to the last, and numbers them so. Of one route the entry listed first is better. */
export function rankCandidates<R>(candidates: readonly Candidate<R>[]): Candidate<R>[] {
  const sorted = [...candidates].sort(comparePrecedence);
  for (const [rank, candidate] of sorted.entries()) candidate.rank = rank;
  return sorted;
}

function comparePrecedence(a: Any, b: Any): number {
  for (const criterion of CRITERIA) {
    const order = criterion.compare(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

function by(key: (candidate: Any) => number): Criterion['compare'] {
  return (a, b) => key(a) - key(b);
}

function byText(key: (candidate: Any) => string): Criterion['compare'] {
  return (a, b) => {
    const left = key(a);
    const right = key(b);
    return left < right ? -1 : Number(left > right);
  };
}

/** Of two wildcards that take the same host, the longer names more of its labels. */
function hostKey({ host }: Any): number {
  if (host === null) return 0;
  return host.kind === 'exact' ? -1000 : -host.suffix.length;
}

/**
 * Text that sorts as paths do: without placeholder, whole-path RE2, segments, no path. Segments sort from
 * the left: literal, pattern, name, the end, the rest.
 */
function pathKey(path: PathPattern | null): string {
  if (path === null) return 'D';
  if (path.kind === 'exact') return 'A';
  if (path.kind === 'regex') return 'B';
  const classes = path.segments.map((segment) => SEGMENT_CLASS[segment.kind]).join('');
  return `C${classes}${path.segments.at(-1)?.kind === 'rest' ? '' : '3'}`;
}

const SEGMENT_CLASS = { literal: '0', pattern: '1', name: '2', rest: '4' } as const;

function count(values: Record<string, ValueMatch>): number {
  return Object.keys(values).length;
}

/** Kinds of the values, the most exact first: sets of equal size sort by how many are exact, then by how many are RE2. */
function exactness(values: Record<string, ValueMatch>): string {
  return Object.values(values).map(kindOf).sort().join('');
}

function kindOf(value: ValueMatch): string {
  if (typeof value === 'boolean') return '2';
  return value.startsWith('~') ? '1' : '0';
}
