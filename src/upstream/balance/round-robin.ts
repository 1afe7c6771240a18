import type { Balancer, Choice } from './choice.ts';

/**
 * Smooth weighted round robin: with weights 5, 1, 1 the order is a a b a c a a, not a a a a a b c. In any run
 * of as many picks as the weights add up to, each gets exactly its share; those that don't fit are passed over.
 */
export class RoundRobin<T> implements Balancer<T> {
  private readonly targets: readonly T[];
  private readonly credit: Float64Array;

  constructor(targets: readonly T[]) {
    this.targets = targets;
    this.credit = new Float64Array(targets.length);
  }

  pick(choice: Choice<T>): T | null {
    const { targets, credit } = this;
    let best = -1;
    let total = 0;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      const weight = choice.weight(target);
      if (weight <= 0 || !choice.fits(target)) continue;
      total += weight;
      credit[i]! += weight;
      if (best < 0 || credit[i]! > credit[best]!) best = i;
    }
    if (best < 0) return null;
    credit[best]! -= total;
    return targets[best]!;
  }
}
