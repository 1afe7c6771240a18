import type { LimitConfig } from '../model.ts';
import type { RouteInput } from '../schema/types.ts';

export function limitsOf(input: RouteInput['limit']): LimitConfig[] {
  if (input === undefined || input === 'none') return [];
  const list = Array.isArray(input) ? input : [input];
  return list.map(({ rate, burst, per, name, report }) => ({
    rate: typeof rate === 'function' ? rate : String(rate),
    burst: burst === undefined ? null : Number(burst),
    per: per ?? null,
    name: name ?? null,
    report: String(report ?? false) === 'true',
  }));
}
