import { findUnreachable, matchErrors } from '../../router/index.ts';
import { matchOf, normaliseMatch } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { Findings } from './findings.ts';

type Path = (string | number)[];

/** What is wrong with each route's match. */
export function checkMatches(input: ConfigInput, findings: Findings): void {
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    if (route.match === undefined) continue;
    for (const issue of matchErrors(normaliseMatch(route.match), ['routes', name, 'match'])) {
      findings.issues.push({ ...issue, path: asWritten(issue.path, route.match) });
    }
  }
}

/** `match: /x` and `match: { path: /x }` are told of as they are written, not in their long form. */
function asWritten(path: Path, match: RouteInput['match']): Path {
  const [routes, name, key, field, index] = path as [string, string, string, string?, (string | number)?];
  if (typeof match === 'string' || field === undefined) return [routes, name, key];
  const value = (match as Record<string, unknown>)[field];
  return typeof index === 'number' && !Array.isArray(value) ? [routes, name, key, field] : path;
}

/** Routes that no request reaches; only where nothing else is wrong, or it would be told of what follows from that. */
export function checkReachable(input: ConfigInput, findings: Findings): void {
  const routes = Object.entries(input.routes ?? {});
  const entries = routes.map(([name, route]) => {
    const match = matchOf(route);
    return { route: name, name, match, when: match.when === null ? null : () => true };
  });
  for (const { route, by, why } of findUnreachable(entries)) {
    findings.warning(
      'TG_CONFIG_UNREACHABLE',
      ['routes', route],
      `no request reaches the route "${route}"`,
      why,
      {
        atKey: true,
        also: { path: ['routes', by], atKey: true },
      },
    );
  }
}
