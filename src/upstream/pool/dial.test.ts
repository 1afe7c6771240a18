import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../http/errors.ts';
import { ManualClock } from '../../testkit/index.ts';
import { Resolver } from '../resolver.ts';
import { Dial } from './dial.ts';

const REFUSED = new Failure('TG_UPSTREAM_REFUSED', 'refused');

let clock: ManualClock;
let tried: [address: string, left: number][];
let failed: string[];
let wanted: boolean;
beforeEach(() => {
  clock = new ManualClock();
  tried = [];
  failed = [];
  wanted = true;
});

/** A dial to a name that stands for `a`, `b` and so on. */
function dialTo(addresses: string, timeout = 1000): Dial {
  const resolver = new Resolver(clock, (_name, done) => done(null, [...addresses], 60_000));
  const dial = new Dial('shop.test', timeout, clock, {
    connect: (_dial, address, left) => void tried.push([address, left]),
    isWanted: () => wanted,
    failed: (_dial, failure) => void failed.push(failure.code),
  });
  dial.begin(resolver, 0);
  return dial;
}

describe('the addresses of a target', () => {
  it('are tried in turn, at once where one refuses, and the last one fails it', () => {
    const dial = dialTo('ab');
    dial.refused(REFUSED);
    expect(tried).toEqual([
      ['a', 1000],
      ['b', 1000],
    ]);
    dial.refused(REFUSED);
    expect([failed, clock.pending]).toEqual([['TG_UPSTREAM_REFUSED'], 0]);
  });

  it('that say nothing are not waited for alone, and fail it only together', () => {
    const dial = dialTo('ab');
    clock.advance(249);
    expect(tried).toHaveLength(1);
    clock.advance(1);
    expect(tried[1]).toEqual(['b', 750]);
    dial.refused(REFUSED);
    expect(failed).toEqual([]);
    dial.refused(REFUSED);
    expect([failed, clock.pending]).toEqual([['TG_UPSTREAM_REFUSED'], 0]);
  });

  it('all have their turn within a short time limit', () => {
    dialTo('abcd', 200);
    clock.advance(199);
    expect(tried.map(([address, left]) => `${address} ${left}`)).toEqual(['a 200', 'b 150', 'c 100', 'd 50']);
  });

  it('are left alone once one of them is there, or nobody wants it', () => {
    dialTo('ab').reached();
    dialTo('ab').close();
    dialTo('ab');
    wanted = false;
    clock.advance(1000);
    expect(tried.map(([address]) => address)).toEqual(['a', 'a', 'a']);
  });
});
