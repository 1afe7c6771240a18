/** Anything that takes a share of the traffic. */
export interface Weighted {
  readonly weight: number;
}

/** Chooses among a fixed set; never gives back one of weight 0. */
export interface Balancer<T> {
  pick(): T;
}

/**
 * Smooth weighted round robin: with weights 5, 1, 1 the order is a a b a c a a, not a a a a a b c. In any run
 * of as many picks as the weights add up to, each gets exactly its share.
 */
export function roundRobin<T extends Weighted>(items: readonly T[]): Balancer<T> {
  const active = items.filter((item) => item.weight > 0);
  if (active.length === 0) throw new RangeError('all weights are 0');
  if (active.length === 1) return { pick: () => active[0]! };
  if (active.every((item) => item.weight === active[0]!.weight)) return new EvenRoundRobin(active);
  return new SmoothRoundRobin(active);
}

class EvenRoundRobin<T> implements Balancer<T> {
  private readonly items: readonly T[];
  private next = 0;

  constructor(items: readonly T[]) {
    this.items = items;
  }

  pick(): T {
    const item = this.items[this.next]!;
    this.next = this.next + 1 === this.items.length ? 0 : this.next + 1;
    return item;
  }
}

class SmoothRoundRobin<T extends Weighted> implements Balancer<T> {
  private readonly items: readonly T[];
  private readonly current: number[];
  private readonly total: number;

  constructor(items: readonly T[]) {
    this.items = items;
    this.current = items.map(() => 0);
    this.total = items.reduce((sum, item) => sum + item.weight, 0);
  }

  pick(): T {
    let best = 0;
    for (let i = 0; i < this.items.length; i++) {
      this.current[i]! += this.items[i]!.weight;
      if (this.current[i]! > this.current[best]!) best = i;
    }
    this.current[best]! -= this.total;
    return this.items[best]!;
  }
}
