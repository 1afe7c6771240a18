import { compileRouter, normalisePath, type RouteSubject } from '../../router/index.ts';
import { normaliseMatch } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

/** A call to another route: what it asks for by which method. */
interface Asked {
  readonly route: string;
  readonly path: unknown;
  readonly method: string;
  readonly at: Path;
}

/**
 * Another route is asked as a client would ask: a path or method that its match does not take makes each call fail. Of
 * paths in which nothing is filled in, and of a config in which nothing is wrong.
 */
export function checkAskedPaths(input: ConfigInput, findings: Findings): void {
  for (const [name, { aggregate }] of Object.entries(input.routes ?? {})) {
    for (const asked of askedIn(aggregate, ['routes', name, 'aggregate', 'calls'])) {
      const { route, path, method, at } = asked;
      const match = input.routes?.[route]?.match;
      if (match === undefined || typeof path !== 'string' || path.includes('{')) continue;
      const why = whyNot(route, match, path, method);
      if (why === null) continue;
      findings.warning(
        'TG_CONFIG_CONFLICT',
        [...at, 'route'],
        `${why}: each call fails`,
        'ask it as a client would',
        {
          also: { path: ['routes', route, 'match'], atKey: true },
        },
      );
    }
  }
}

function askedIn(aggregate: RouteInput['aggregate'], at: Path): Asked[] {
  return Object.entries(aggregate?.calls ?? {}).flatMap(([name, call]) => {
    const { route, path, method, compensate } = call;
    const own =
      route === undefined ? [] : [{ route, path, method: String(method ?? 'GET'), at: [...at, name] }];
    if (compensate?.route === undefined) return own;
    const undo = {
      route: compensate.route,
      path: compensate.path,
      method: String(compensate.method ?? 'DELETE'),
    };
    return [...own, { ...undo, at: [...at, name, 'compensate'] }];
  });
}

/** What of its path and method a route does not take; null: it takes both, whatever else it asks for. */
function whyNot(name: string, input: RouteInput['match'], target: string, method: string): string | null {
  const { paths, methods, ignoreCase } = normaliseMatch(input);
  const path = normalisePath(target.split('?', 1)[0]!);
  if (path === null) return null;
  const match = { ...normaliseMatch({}), paths, methods, ignoreCase };
  const found = compileRouter([{ route: name, name, match, when: null }]).match({ ...NOTHING, path, method });
  if ('route' in found) return null;
  return found.status === 405
    ? `the route "${name}" does not take ${method}`
    : `the route "${name}" does not take the path ${path}`;
}

/** A request of which only path and method are known. */
const NOTHING: Omit<RouteSubject, 'path' | 'method'> = {
  listener: '',
  host: '',
  ip: '',
  header: () => undefined,
  queryValue: () => undefined,
  cookie: () => undefined,
};
