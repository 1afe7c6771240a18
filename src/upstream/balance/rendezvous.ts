import type { Balancer, Choice } from './choice.ts';
import { hash32, mix32 } from './hash.ts';

/** A target takes at most this times the mean load (Mirrokni et al., "Consistent Hashing with Bounded Loads"). */
const BOUND = 1.25;
/** With fewer under way a target keeps its keys, however idle the others are: that is no load worth a miss elsewhere. */
const FREE = 100;

interface Hashed {
  readonly name: string;
  readonly weight: number;
}

/**
 * Consistent hashing by rendezvous (Thaler and Ravishankar 1998; with weights, Schindelhauer and Schomaker 2005): a key
 * stays on the target that scores highest for it. A score depends on nothing but key, name and weight, so a target that
 * comes or goes moves only the keys that are its own, whatever it weighs. One that is out, or is busy and has more than
 * its part of the load, passes its keys on to the next. Without a key it falls back to another balancer.
 */
export class Rendezvous<T extends Hashed> implements Balancer<T> {
  private readonly targets: readonly T[];
  private readonly without: Balancer<T>;
  private readonly hashes: Uint32Array;
  /** All weigh the same: then their hashes are in the order of their scores. */
  private readonly even: boolean;

  constructor(targets: readonly T[], without: Balancer<T>) {
    this.targets = targets;
    this.without = without;
    this.hashes = Uint32Array.from(targets, ({ name }) => hash32(name));
    this.even = targets.every(({ weight }) => weight === targets[0]!.weight);
  }

  pick(choice: Choice<T>, key: string | null): T | null {
    if (key === null) return this.without.pick(choice, null);
    const { targets } = this;
    const bound = this.bound(choice);
    const hash = hash32(key);
    let best: T | null = null;
    let highest = Number.NEGATIVE_INFINITY;
    let spare: T | null = null;
    let highestSpare = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (target.weight === 0 || !choice.fits(target)) continue;
      const score = this.score(hash, i);
      if (choice.load(target) >= Math.max(bound * target.weight, FREE)) {
        if (score <= highestSpare) continue;
        spare = target;
        highestSpare = score;
      } else if (score > highest) {
        best = target;
        highest = score;
      }
    }
    return best ?? spare;
  }

  private score(hash: number, at: number): number {
    const mixed = mix32(hash ^ this.hashes[at]!);
    return this.even ? mixed : Math.log((mixed + 0.5) / 2 ** 32) / this.targets[at]!.weight;
  }

  /** The load that a busy target may have for each unit of its weight, this request included. */
  private bound(choice: Choice<T>): number {
    let load = 1;
    let weight = 0;
    for (const target of this.targets) {
      if (!choice.fits(target)) continue;
      load += choice.load(target);
      weight += target.weight;
    }
    return (load * BOUND) / weight;
  }
}
