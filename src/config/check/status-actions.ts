import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

type OnStatusInput = RouteInput['onStatus'];
export type StatusActionInput = Exclude<
  Exclude<NonNullable<OnStatusInput>, 'none'>[string],
  readonly unknown[]
>;

/** Each entry of an `onStatus`, with where it stands; what was found wrong is left out. */
export function statusActionsOf(
  onStatus: OnStatusInput,
  path: Path,
): { action: StatusActionInput; path: Path }[] {
  if (typeof onStatus !== 'object') return [];
  return Object.entries(onStatus).flatMap(([key, entry]) => {
    if (!Array.isArray(entry))
      return typeof entry === 'object' ? [{ action: entry as StatusActionInput, path: [...path, key] }] : [];
    return entry.flatMap((action, index) =>
      typeof action === 'object' ? [{ action, path: [...path, key, index] }] : [],
    );
  });
}

/** What stands in a list behind an answer of the gateway's own, which there always is. */
export function checkStatusLists({ defaults, routes }: ConfigInput, findings: Findings): void {
  checkLists(defaults?.onStatus, ['defaults', 'onStatus'], findings);
  for (const [name, route] of Object.entries(routes ?? {}))
    checkLists(route.onStatus, ['routes', name, 'onStatus'], findings);
}

function checkLists(onStatus: OnStatusInput, path: Path, findings: Findings): void {
  if (typeof onStatus !== 'object') return;
  for (const [key, entry] of Object.entries(onStatus)) {
    if (!Array.isArray(entry)) continue;
    const last = entry.findIndex(({ to, from }) => to === undefined && from !== 'service');
    if (last < 0 || last === entry.length - 1) continue;
    findings.warning(
      'TG_CONFIG_UNREACHABLE',
      [...path, key, last + 1],
      'this entry is never tried: the one before it always answers',
      'put respond or redirect last',
    );
  }
}
