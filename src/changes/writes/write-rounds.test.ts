import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../telemetry/index.ts';
import { ManualClock } from '../../testkit/index.ts';
import { WriteRounds } from './write-rounds.ts';

function setUp() {
  const clock = new ManualClock();
  const asked: { answer(position: string): void; fail(): void }[] = [];
  const told: [keys: readonly string[], position: string | null][] = [];
  let isHeard = true;
  const rounds = new WriteRounds({
    clock,
    log: silentLogger,
    ask: () => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      asked.push({ answer: resolve, fail: () => reject(new Error('away')) });
      return promise;
    },
    isResting: () => false,
    tell: async (keys, position) => {
      told.push([keys, position]);
      return isHeard;
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const hears = (yes: boolean) => {
    isHeard = yes;
  };
  return { clock, asked, told, rounds, turn, hears };
}

describe('rounds of questions after writes', () => {
  it('one question serves all who came before it was asked, and none who came after', async () => {
    const { asked, told, rounds, turn } = setUp();
    const first = rounds.wrote('ada');
    const others = [rounds.wrote('bob'), rounds.wrote('eve'), rounds.wrote('bob')];
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]!.answer('0/1');
    await first;
    expect(told).toEqual([[['ada'], '0/1']]);
    await turn();
    expect(asked).toHaveLength(2);
    asked[1]!.answer('0/2');
    await Promise.all(others);
    expect(told.slice(1)).toEqual([[['bob', 'eve'], '0/2']]);
    await rounds.stop();
  });

  it('what could not be found out is told at once, and found out later', async () => {
    const { clock, asked, told, rounds, turn } = setUp();
    const wrote = rounds.wrote('ada');
    await turn();
    asked[0]!.fail();
    await wrote;
    expect(told).toEqual([[['ada'], null]]);
    clock.advance(500);
    await turn();
    asked[1]!.answer('0/2');
    await turn();
    expect(told.slice(1)).toEqual([[['ada'], '0/2']]);
    expect([await rounds.stop(), clock.pending]).toEqual([[], 0]);
  });

  it('what not all could be told is told again', async () => {
    const { clock, asked, told, rounds, turn, hears } = setUp();
    hears(false);
    const wrote = rounds.wrote('ada');
    await turn();
    asked[0]!.answer('0/1');
    await wrote;
    hears(true);
    clock.advance(500);
    await turn();
    asked[1]!.answer('0/2');
    await turn();
    expect(told).toEqual([
      [['ada'], '0/1'],
      [['ada'], '0/2'],
    ]);
    clock.advance(5000);
    await turn();
    expect(asked).toHaveLength(2);
    await rounds.stop();
  });

  it('whoever ends them gets those of whom not all is known', async () => {
    const { clock, asked, rounds, turn } = setUp();
    const wrote = rounds.wrote('ada');
    await turn();
    asked[0]!.fail();
    await wrote;
    expect(await rounds.stop()).toEqual(['ada']);
    expect(clock.pending).toBe(0);
  });
});
