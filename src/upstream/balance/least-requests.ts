import type { Random } from '../../util/random.ts';
import type { Balancer, Choice } from './choice.ts';
import { RoundRobin } from './round-robin.ts';

/**
 * The power of two choices (Mitzenmacher 2001): of two targets the one with fewer requests under way for its
 * weight. The first comes in smooth turns and wins a tie, so that idle targets get exactly their shares; the
 * second comes by chance, so that gateways that know nothing of each other don't all pick the same.
 */
export class LeastRequests<T> implements Balancer<T> {
  private readonly targets: readonly T[];
  private readonly turns: RoundRobin<T>;
  private readonly random: Random;

  constructor(targets: readonly T[], random: Random) {
    this.targets = targets;
    this.turns = new RoundRobin(targets);
    this.random = random;
  }

  pick(choice: Choice<T>): T | null {
    if (this.targets.length === 1) return this.alone(choice);
    const first = this.turns.pick(choice);
    if (first === null) return null;
    const second = this.byChance(choice);
    if (second === null || second === first) return first;
    return burden(second, choice) < burden(first, choice) ? second : first;
  }

  private alone(choice: Choice<T>): T | null {
    const only = this.targets[0]!;
    return choice.weight(only) > 0 && choice.fits(only) ? only : null;
  }

  /** Any that fits, by its weight. */
  private byChance(choice: Choice<T>): T | null {
    let total = 0;
    for (const target of this.targets) if (choice.fits(target)) total += choice.weight(target);
    let left = this.random.number() * total;
    for (const target of this.targets) {
      if (!choice.fits(target)) continue;
      left -= choice.weight(target);
      if (left < 0) return target;
    }
    return null;
  }
}

function burden<T>(target: T, choice: Choice<T>): number {
  return choice.load(target) / choice.weight(target);
}
