import type { Target } from './api.ts';

/** Why a target is asked no more, by its health. */
export const OUT: Readonly<Record<string, string>> = { ejected: 'after errors', down: 'by its checks' };

export function isOut({ health }: Target): boolean {
  return health in OUT;
}
