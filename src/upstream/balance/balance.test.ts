import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testkit/index.ts';
import { type Choice, compileBalancer, RoundRobin } from './index.ts';

interface Target {
  name: string;
  weight: number;
  load: number;
  fits: boolean;
}

const target = (name: string, weight = 1): Target => ({ name, weight, load: 0, fits: true });
const targets = (...weights: number[]) =>
  weights.map((weight, i) => target(`http://10.0.0.${i + 1}:80`, weight));
const CHOICE: Choice<Target> = { fits: (t) => t.fits, weight: (t) => t.weight, load: (t) => t.load };

function counts(all: Target[], picks: (Target | null)[]): number[] {
  return all.map((one) => picks.filter((pick) => pick === one).length);
}

function pickMany(kind: 'leastRequests' | 'roundRobin', all: Target[], times: number): (Target | null)[] {
  const balancer = compileBalancer({ kind }, all, seededRandom(1));
  return Array.from({ length: times }, () => balancer.pick(CHOICE, null));
}

describe('round robin', () => {
  it('takes equal ones in turn, and spreads a heavy one out', () => {
    const order = (weights: number[], times: number) => {
      const all = targets(...weights);
      return pickMany('roundRobin', all, times)
        .map((pick) => all.indexOf(pick!))
        .join('');
    };
    expect(order([1, 1, 1], 7)).toBe('0120120');
    expect(order([5, 1, 1], 7)).toBe('0010200');
  });

  it('gives each exactly its share in a run as long as the sum of the weights', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 })
      .filter((all) => all.some((w) => w > 0));
    fc.assert(
      fc.property(weights, (all) => {
        const total = all.reduce((sum, weight) => sum + weight, 0);
        const set = targets(...all);
        expect(counts(set, pickMany('roundRobin', set, total * 3))).toEqual(all.map((weight) => weight * 3));
      }),
    );
  });

  it('passes over those that do not fit, and gives null when none does', () => {
    const all = targets(1, 1, 1);
    all[1]!.fits = false;
    const balancer = new RoundRobin(all);
    expect(
      counts(
        all,
        Array.from({ length: 10 }, () => balancer.pick(CHOICE)),
      ),
    ).toEqual([5, 0, 5]);
    for (const one of all) one.fits = false;
    expect(balancer.pick(CHOICE)).toBeNull();
  });
});

describe('least requests', () => {
  it('spreads 10,000 requests within 2 % of the weights', () => {
    const all = targets(5, 3, 2);
    const shares = counts(all, pickMany('leastRequests', all, 10_000));
    for (const [i, share] of [5000, 3000, 2000].entries())
      expect(Math.abs(shares[i]! - share)).toBeLessThanOrEqual(share * 0.02);
  });

  it('turns to those with less under way', () => {
    const all = targets(1, 1, 1);
    all[0]!.load = 50;
    const shares = counts(all, pickMany('leastRequests', all, 3000));
    expect(shares[0]!).toBeLessThan(500);
    expect(shares[0]! + shares[1]! + shares[2]!).toBe(3000);
  });

  it('a slow target among fast ones ends up with few requests under way', () => {
    const all = targets(1, 1, 1, 1);
    const balancer = compileBalancer({ kind: 'leastRequests' }, all, seededRandom(7));
    const busy: { of: Target; until: number }[] = [];
    for (let now = 0; now < 5000; now++) {
      for (const one of busy.filter(({ until }) => until === now)) one.of.load--;
      const pick = balancer.pick(CHOICE, null)!;
      pick.load++;
      busy.push({ of: pick, until: now + (pick === all[0] ? 200 : 4) });
    }
    expect(all[0]!.load).toBeLessThan(30);
  });

  it('never gives one that does not fit, or has no weight', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 0, max: 3 }), fits: fc.boolean() }), {
          minLength: 1,
          maxLength: 6,
        }),
        (specs) => {
          const all = specs.map(({ weight, fits }, i) => ({ ...target(`t${i}`, weight), fits }));
          for (const pick of pickMany('leastRequests', all, 20)) {
            if (pick === null) expect(all.some((one) => one.fits && one.weight > 0)).toBe(false);
            else expect(pick.fits && pick.weight > 0).toBe(true);
          }
        },
      ),
    );
  });
});

describe('consistent hash', () => {
  const KEYS = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
  const place = (all: Target[]) => {
    const balancer = compileBalancer({ kind: 'hash', key: 'x' }, all, seededRandom(1));
    return KEYS.map((key) => balancer.pick(CHOICE, key)!.name);
  };
  const moved = (before: string[], after: string[]) =>
    before.filter((name, i) => name !== after[i]).length / KEYS.length;

  it('one of N that goes moves at most 1.3 / N of the keys, and none of the others', () => {
    for (const n of [2, 3, 5, 10, 20]) {
      const all = targets(...Array<number>(n).fill(1));
      const before = place(all);
      const after = place(all.slice(1));
      expect(moved(before, after)).toBeLessThanOrEqual(1.3 / n);
      before.forEach((name, i) => {
        if (name !== all[0]!.name) expect(after[i]).toBe(name);
      });
    }
  });

  it('one that comes moves at most 1.3 / N of the keys, and only to itself', () => {
    for (const n of [3, 5, 10]) {
      const all = targets(...Array<number>(n).fill(1));
      const before = place(all.slice(1));
      const after = place(all);
      expect(moved(before, after)).toBeLessThanOrEqual(1.3 / n);
      after.forEach((name, i) => {
        if (name !== before[i]) expect(name).toBe(all[0]!.name);
      });
    }
  });

  it('one that comes or goes moves no key of the others, whatever they weigh', () => {
    for (const weights of [
      [1, 2, 2],
      [1, 10, 10, 10],
      [10, 1, 1],
      [100, 7, 3, 50],
    ]) {
      const all = targets(...weights);
      const before = place(all);
      const after = place(all.slice(1));
      before.forEach((name, i) => {
        if (name !== all[0]!.name) expect(after[i]).toBe(name);
      });
    }
  });

  it('the same targets give the same places, in whatever order they stand', () => {
    const all = targets(1, 2, 3);
    expect(place(all)).toEqual(place([...all].reverse()));
  });

  it('weights are shares of the keys', () => {
    const all = targets(1, 3);
    const share = place(all).filter((name) => name === all[1]!.name).length / KEYS.length;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });

  it('a target that is out passes its keys on; they come home with it', () => {
    const all = targets(1, 1, 1);
    const balancer = compileBalancer({ kind: 'hash', key: 'x' }, all, seededRandom(1));
    const home = balancer.pick(CHOICE, 'user-1')!;
    home.fits = false;
    const away = balancer.pick(CHOICE, 'user-1')!;
    expect(away).not.toBe(home);
    expect(balancer.pick(CHOICE, 'user-1')).toBe(away);
    home.fits = true;
    expect(balancer.pick(CHOICE, 'user-1')).toBe(home);
  });

  it('what asks together under one key goes to one target', () => {
    const all = targets(1, 1, 1, 1);
    const balancer = compileBalancer({ kind: 'hash', key: 'x' }, all, seededRandom(1));
    for (let i = 0; i < 100; i++) balancer.pick(CHOICE, 'the same')!.load++;
    expect(all.map(({ load }) => load).sort()).toEqual([0, 0, 0, 100]);
  });

  it('no target takes more than 1.25 times the mean load for long', () => {
    const all = targets(1, 1, 1, 1);
    const balancer = compileBalancer({ kind: 'hash', key: 'x' }, all, seededRandom(1));
    for (let i = 0; i < 400; i++) balancer.pick(CHOICE, 'the same')!.load++;
    for (const one of all) expect(one.load).toBeLessThanOrEqual(126);
  });

  it('without a key it goes as least requests', () => {
    const all = targets(1, 1);
    const balancer = compileBalancer({ kind: 'hash', key: 'x' }, all, seededRandom(1));
    expect(
      counts(
        all,
        Array.from({ length: 10 }, () => balancer.pick(CHOICE, null)),
      ),
    ).toEqual([5, 5]);
  });
});

describe('affinity', () => {
  it('keeps to the one that is named while it is in', () => {
    const all = targets(1, 1, 1);
    const balancer = compileBalancer({ kind: 'cookie', name: 'x' }, all, seededRandom(1));
    const home = all[2]!;
    for (let i = 0; i < 5; i++) expect(balancer.pick(CHOICE, home.name)).toBe(home);
    home.fits = false;
    expect(balancer.pick(CHOICE, home.name)).not.toBe(home);
    expect(balancer.pick(CHOICE, 'a name of old')).not.toBeNull();
  });
});
