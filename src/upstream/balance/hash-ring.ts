import type { Balancer, Choice } from './choice.ts';
import { hash32 } from './hash.ts';

/** Places on the ring for a target of the mean weight: enough that shares differ by a few percent only. */
const PLACES = 256;
/** A target takes at most this times the mean load (Mirrokni et al., "Consistent Hashing with Bounded Loads"). */
const BOUND = 1.25;

interface Hashed {
  readonly name: string;
  readonly weight: number;
}

/**
 * Consistent hashing: a key stays on its target, and a target that comes or goes moves only the keys that are
 * its own. A target that is out, or has more than its part of the load, passes its keys on to the next on the
 * ring. Without a key it falls back to another balancer.
 */
export class HashRing<T extends Hashed> implements Balancer<T> {
  private readonly targets: readonly T[];
  private readonly without: Balancer<T>;
  private readonly points: Uint32Array;
  /** Of each point, the index of its target. */
  private readonly owners: Uint32Array;

  constructor(targets: readonly T[], without: Balancer<T>) {
    this.targets = targets;
    this.without = without;
    const places = placesOf(targets);
    this.points = Uint32Array.from(places, ([point]) => point);
    this.owners = Uint32Array.from(places, ([, owner]) => owner);
  }

  pick(choice: Choice<T>, key: string | null): T | null {
    if (key === null || this.points.length === 0) return this.without.pick(choice, null);
    const bound = this.bound(choice);
    let spare: T | null = null;
    const start = this.after(hash32(key));
    for (let i = 0; i < this.points.length; i++) {
      const target = this.targets[this.owners[(start + i) % this.points.length]!]!;
      if (!choice.fits(target)) continue;
      if (choice.load(target) < bound * target.weight) return target;
      spare ??= target;
    }
    return spare;
  }

  /** The load that a target may have for each unit of its weight, this request included. */
  private bound(choice: Choice<T>): number {
    let load = 1;
    let weight = 0;
    for (const target of this.targets) {
      if (!choice.fits(target)) continue;
      load += choice.load(target);
      weight += target.weight;
    }
    return weight === 0 ? 0 : Math.max((load * BOUND) / weight, 1);
  }

  /** The first point at or behind a hash. */
  private after(hash: number): number {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === this.points.length ? 0 : low;
  }
}

/** A target's places depend on itself alone, so that another one's coming or going leaves them where they are. */
function placesOf(targets: readonly Hashed[]): [point: number, owner: number][] {
  const active = targets.filter(({ weight }) => weight > 0);
  if (active.length === 0) return [];
  const unit = Math.min(...active.map(({ weight }) => weight));
  const places: [number, number][] = [];
  targets.forEach(({ name, weight }, owner) => {
    const count = Math.min(Math.round((weight / unit) * PLACES), PLACES * 100);
    for (let i = 0; i < count; i++) places.push([hash32(`${name}#${i}`), owner]);
  });
  return places.sort(([a, ownerOfA], [b, ownerOfB]) => a - b || ownerOfA - ownerOfB);
}
