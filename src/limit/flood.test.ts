import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { KeyBudget } from './counts.ts';
import { LimitCounts } from './limit-counts.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** A text as it is found in the head of a request. */
function cutOut(text: string): string {
  const head = Buffer.from(`X-Client: ${text}\r\nCookie: ${'c'.repeat(4000)}\r\n`, 'latin1').toString(
    'latin1',
  );
  return head.slice(10, 10 + text.length);
}

const rare = { count: 5, per: 900_000, burst: 5 };

describe('a flood of 1,000,000 distinct keys', () => {
  it.each([
    ['addresses', (i: number) => `ip 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
    ['long values', (i: number) => `= ${'x'.repeat(240)}${i}`],
    ['values that are cut out of long heads', (i: number) => `= ${cutOut(`value-of-client-${i}`)}`],
  ])(
    '%s stay within 64 MiB, and within their limits',
    (_what, key) => {
      const counts = new LimitCounts('a', new ManualClock(0), 1, new KeyBudget(), () => null);
      const before = heap();
      let allowed = 0;
      for (let i = 0; i < 1_000_000; i++) {
        const verdict = counts.take(key(i), rare);
        if (!(verdict instanceof Promise) && verdict.allowed) allowed++;
      }
      expect(heap() - before).toBeLessThan(64);
      // Each key that has a place of its own, and the place that all others share.
      expect(allowed).toBe(100_000 + rare.burst);
      // Those who were known go on by counts of their own.
      expect(counts.take(key(7), rare)).toMatchObject({ allowed: true, remaining: 3 });
      expect(counts.take(key(999_999), rare)).toMatchObject({ allowed: false });
    },
    60_000,
  );
});
