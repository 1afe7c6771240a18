import type { ServiceConfig } from '../../config/model.ts';
import type { Random } from '../../util/random.ts';

/** What may be chosen now, and what speaks for it. */
export interface Choice<T> {
  fits(target: T): boolean;
  weight(target: T): number;
  load(target: T): number;
}

export interface Balancer<T> {
  /** Null: none fits. */
  pick(choice: Choice<T>, key: string | null): T | null;
}

export function compileBalancer<T extends { weight: number; name: string }>(
  _config: ServiceConfig,
  targets: readonly T[],
  _random: Random,
): Balancer<T> {
  const current = new Map<T, number>();
  return {
    pick(choice) {
      let best: T | null = null;
      let total = 0;
      for (const target of targets) {
        const weight = choice.weight(target);
        if (weight <= 0 || !choice.fits(target)) continue;
        total += weight;
        current.set(target, (current.get(target) ?? 0) + weight);
        if (best === null || current.get(target)! > current.get(best)!) best = target;
      }
      if (best !== null) current.set(best, current.get(best)! - total);
      return best;
    },
  };
}
