import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundRobin } from './balance.ts';

const picks = (weights: Record<string, number>, count: number): string => {
  const balancer = roundRobin(Object.entries(weights).map(([name, weight]) => ({ name, weight })));
  return Array.from({ length: count }, () => balancer.pick().name).join('');
};

describe('round robin', () => {
  it('takes equal ones in turn', () => {
    expect(picks({ a: 1, b: 1, c: 1 }, 7)).toBe('abcabca');
  });

  it('spreads a heavy one out instead of sending it a burst', () => {
    expect(picks({ a: 5, b: 1, c: 1 }, 7)).toBe('aabacaa');
  });

  it('never picks a weight of 0', () => {
    expect(picks({ a: 0, b: 1, c: 2 }, 6)).not.toContain('a');
  });

  it('refuses a set in which nothing may be picked', () => {
    expect(() => roundRobin([{ weight: 0 }])).toThrow('all weights are 0');
  });

  it('gives each exactly its share in a run as long as the sum of the weights', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 })
      .filter((all) => all.some((weight) => weight > 0));
    fc.assert(
      fc.property(weights, (all) => {
        const items = all.map((weight, index) => ({ weight, index }));
        const balancer = roundRobin(items);
        const counts = all.map(() => 0);
        const total = all.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < total * all.length; i++) counts[balancer.pick().index]!++;
        // Equal weights are a plain round, whatever the weight is.
        expect(counts).toEqual(all.map((weight) => weight * all.length));
      }),
    );
  });
});
