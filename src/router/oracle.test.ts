import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ValueMatch } from '../config/model.ts';
import { NO_PARAMS } from '../http/exchange.ts';
import { entries, type ShortMatch, type ShortRequest, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';
import type { RouteSubject } from './subject.ts';

/*
 * An oracle that shares nothing with the router: it writes every path as a native regular expression, tries
 * every combination of listener, host and path of every route, and ranks what matches by a list of numbers.
 */

interface Listed {
  route: string;
  /** Compared number by number; the least is best. */
  rank: number[];
  params: Record<string, string>;
}

type Taste = { [name: string]: ValueMatch };

function oracle(
  routes: [string, ShortMatch][],
  request: RouteSubject,
): { route: string; params: object } | { status: number } {
  const taken: Listed[] = [];
  const blocked: ('method' | 'other' | 'both')[] = [];
  for (const [index, [name, match]] of routes.entries()) {
    for (const listener of optional(match.listener)) {
      for (const host of optional(match.host)) {
        for (const [place, path] of optional(match.path).entries()) {
          if (listener !== null && listener !== request.listener) continue;
          if (host !== null && !hostIs(host, request.host)) continue;
          const params = path === null ? {} : readPath(path, request.path, match.ignoreCase ?? false);
          if (params === null) continue;
          const methodOk = methodIs(match, request.method);
          const restOk = conditionsAre(match, request);
          if (!methodOk || !restOk) {
            blocked.push(methodOk ? 'other' : restOk ? 'method' : 'both');
            continue;
          }
          const rank = [
            listener === null ? 1 : 0,
            host === null ? 1000 : host.startsWith('*') ? 500 - host.length : 0,
            ...pathRank(path),
            match.method === undefined ? 1 : 0,
            ...tastes(match).map((taste) => -Object.keys(taste).length),
            ...tastes(match).flatMap((taste) => [-kinds(taste, 'exact'), -kinds(taste, 'regex')]),
            match.ip === undefined ? 1 : 0,
            match.when === undefined ? 1 : 0,
            index,
            place,
          ];
          taken.push({ route: name, rank, params });
        }
      }
    }
  }
  if (taken.length > 0) {
    taken.sort((a, b) => firstDifference(a.rank, b.rank));
    return { route: taken[0]!.route, params: taken[0]!.params };
  }
  return { status: blocked.includes('method') && !blocked.includes('other') ? 405 : 404 };
}

function firstDifference(a: number[], b: number[]): number {
  const at = a.findIndex((number, i) => number !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

function optional(value: string | string[] | undefined): (string | null)[] {
  return value === undefined ? [null] : [value].flat();
}

function hostIs(pattern: string, host: string): boolean {
  const source = pattern.replaceAll('.', '\\.').replace('*', '[^.]+(\\.[^.]+)*');
  return new RegExp(`^${source}$`).test(host);
}

function methodIs(match: ShortMatch, method: string): boolean {
  if (match.method === undefined) return true;
  const methods = [match.method].flat().flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  return methods.includes(method);
}

function conditionsAre(match: ShortMatch, request: RouteSubject): boolean {
  const reads = [request.header, request.queryValue, request.cookie];
  const values = tastes(match).every((taste, i) =>
    Object.entries(taste).every(([name, want]) => isWanted(want, reads[i]!(name))),
  );
  const ip =
    match.ip === undefined ||
    [match.ip].flat().some((range) => request.ip.startsWith(range.replace('.0.0.0/8', '.')));
  return values && ip && (match.when === undefined || match.when(request, () => NO_PARAMS));
}

function isWanted(want: ValueMatch, value: string | undefined): boolean {
  if (typeof want === 'boolean') return want === (value !== undefined);
  if (value === undefined) return false;
  return want.startsWith('~') ? new RegExp(`^(?:${want.slice(1)})$`).test(value) : want === value;
}

function tastes(match: ShortMatch): Taste[] {
  return [match.headers ?? {}, match.query ?? {}, match.cookies ?? {}];
}

function kinds(taste: Taste, kind: 'exact' | 'regex'): number {
  return Object.values(taste).filter(
    (value) => typeof value === 'string' && value.startsWith('~') === (kind === 'regex'),
  ).length;
}

/** Ten numbers, one a segment, after one for the kind of path. */
function pathRank(path: string | null): number[] {
  const classes = path?.slice(1).split('/').map(segmentRank) ?? [];
  if (path !== null && !path.startsWith('~') && classes.at(-1) !== 5) classes.push(4);
  const kind =
    path === null ? 3 : path.startsWith('~') ? 1 : classes.every((rank) => rank === 1 || rank === 4) ? 0 : 2;
  return [kind, ...Array.from({ length: 10 }, (_, i) => (kind === 2 ? (classes[i] ?? 0) : 0))];
}

function segmentRank(segment: string): number {
  if (segment === '*' || /^\{\w+\*\}$/.test(segment)) return 5;
  if (/^\{\w+\}$/.test(segment)) return 3;
  return segment.includes('{') ? 2 : 1;
}

/** The parameters where the path fits, else null. Requests hold nothing that is encoded here. */
function readPath(pattern: string, path: string, ignoreCase: boolean): Record<string, string> | null {
  const source = pattern.startsWith('~')
    ? pattern.slice(1)
    : pattern.replaceAll(/\{(\w+)(\*|:int|~[^}]*)?\}/g, placeholder);
  const whole = source.replace(/\/\*$/, '(?:/(?<REST>.*))?').replace(/\/(\(\?<\w+>\.\*\))$/, '(?:/$1)?');
  const match = new RegExp(`^(?:${whole})$`, ignoreCase ? 'i' : '').exec(path);
  if (match === null) return null;
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(match.groups ?? {}))
    params[name === 'REST' ? '*' : name] = value ?? '';
  return params;
}

function placeholder(_: string, name: string, type = ''): string {
  if (type === '*') return `(?<${name}>.*)`;
  if (type === ':int') return `(?<${name}>0|-?[1-9][0-9]*)`;
  return type === '' ? `(?<${name}>[^/]+?)` : `(?<${name}>${type.slice(1)})`;
}

const segment = (at: number) =>
  fc.constantFrom(
    'a',
    'b',
    'A',
    '7',
    'ab',
    `{n${at}}`,
    `{n${at}}`,
    `{n${at}:int}`,
    `{n${at}~[ab]+}`,
    `{n${at}~a|7}`,
    `a{n${at}}`,
    `{n${at}}b`,
    `{n${at}}-{m${at}}`,
  );
const segments = fc
  .integer({ min: 0, max: 4 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, at) => segment(at))));
const end = fc.constantFrom('', '', '', '/', '/*', '/{rest*}');
const path = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(segments, end)
      .map(([list, tail]) => `${list.map((text) => `/${text}`).join('')}${tail}` || '/'),
  },
  { weight: 1, arbitrary: fc.constantFrom('~/a.*', '~/[ab]+', '~.*', '~/7/.*', '~/.*b') },
);
const value: fc.Arbitrary<ValueMatch> = fc.constantFrom<ValueMatch>('1', '2', '~1|2', '~.', true, false);
const values = fc.dictionary(fc.constantFrom('p', 'q'), value, { maxKeys: 2 });
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const oneOrTwo = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 2 });
const match: fc.Arbitrary<ShortMatch> = fc
  .record({
    path: fc.option(oneOrTwo(path), { nil: undefined, freq: 12 }),
    listener: fc.option(fc.constantFrom('one', 'two'), { nil: undefined, freq: 1 }),
    host: seldom(oneOrTwo(fc.constantFrom('x.test', 'y.x.test', '*.x.test', '*.test', '*.y.x.test'))),
    method: seldom(oneOrTwo(fc.constantFrom('GET', 'POST', 'HEAD'))),
    headers: seldom(values),
    query: seldom(values),
    cookies: seldom(values),
    ip: fc.option(fc.constantFrom('10.0.0.0/8', '11.0.0.0/8'), { nil: undefined, freq: 1 }),
    when: fc.option(
      fc.constantFrom(
        () => true,
        () => false,
      ),
      { nil: undefined, freq: 1 },
    ),
    ignoreCase: fc.option(fc.constant(true), { nil: undefined, freq: 1 }),
  })
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, part]) => part !== undefined)));
const routes = fc
  .array(match, { minLength: 1, maxLength: 14 })
  .map((list) => list.map((one, i): [string, ShortMatch] => [`r${i}`, one]));

const asked = fc.tuple(
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
  fc
    .array(fc.constantFrom('a', 'b', 'A', '7', 'ab', 'a-b', '07', 'aa'), { maxLength: 5 })
    .map((list) => `/${list.join('/')}`),
  fc.constantFrom('', '', '', '/'),
);
const few = fc.dictionary(fc.constantFrom('p', 'q'), fc.constantFrom('1', '2'), { maxKeys: 2 });
const request: fc.Arbitrary<ShortRequest> = fc.record({
  listener: fc.constantFrom('one', 'two', 'three'),
  host: fc.constantFrom('x.test', 'y.x.test', 'z.y.x.test', 'z.test', 'else'),
  ip: fc.constantFrom('10.1.1.1', '11.1.1.1', '12.1.1.1'),
  headers: few,
  query: few,
  cookies: few,
});

const requests = fc.array(fc.tuple(asked, request), { minLength: 4, maxLength: 12 });

function subjectOf([[method, text, tail], rest]: [[string, string, string], ShortRequest]): RouteSubject {
  return subject(`${method} ${text}${text === '/' ? '' : tail}`, rest);
}

describe('the best of all routes that match is taken', () => {
  test('as ranked by hand, whatever the routes are', () => {
    let matched = 0;
    fc.assert(
      fc.property(routes, requests, (list, lines) => {
        const router = compileRouter(entries(Object.fromEntries(list)));
        for (const line of lines) {
          const one = subjectOf(line);
          const expected = oracle(list, one);
          const actual = router.match(one);
          if ('route' in expected) {
            matched++;
            expect(actual).toMatchObject({ route: expected.route });
            expect({ ...(actual as { params: object }).params }).toEqual(expected.params);
          } else {
            expect(actual).toMatchObject(expected);
          }
        }
      }),
      { numRuns: 1500 },
    );
    expect(matched).toBeGreaterThan(2500);
  });

  test('whatever order the file has, unless two routes differ in nothing else', () => {
    fc.assert(
      fc.property(routes, requests, fc.infiniteStream(fc.nat(1000)), (list, lines, noise) => {
        const shuffled = list
          .map((one) => ({ one, at: noise.next().value as number }))
          .sort((a, b) => a.at - b.at);
        const order = shuffled.map(({ one }) => one);
        const router = compileRouter(entries(Object.fromEntries(list)));
        const other = compileRouter(entries(Object.fromEntries(order)));
        for (const line of lines) {
          const one = subjectOf(line);
          const [before, after] = [router.match(one), other.match(one)];
          if ('status' in before || 'status' in after) {
            expect(after).toMatchObject('status' in before ? { status: before.status } : before);
          } else if (before.route !== after.route) {
            expect(after.route).toBe((oracle(order, one) as { route: string }).route);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
