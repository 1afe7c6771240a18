import type { RouteInput } from '../schema/index.ts';
import type { Path } from './findings.ts';

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
