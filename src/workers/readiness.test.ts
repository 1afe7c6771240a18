import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { Readiness } from './readiness.ts';

function node() {
  const clock = new ManualClock();
  const told: (string | null)[] = [];
  return { clock, told, readiness: new Readiness(clock, (why) => void told.push(why)) };
}

test('a node is ready once all that it waits for is there', () => {
  const { clock, told, readiness } = node();
  let missing: string | null = 'shop is missing';
  expect(readiness.why).toBe('the gateway is starting');
  readiness.welcomeOnce(() => missing);
  expect(readiness.why).toBe('shop is missing');
  clock.advance(1000);
  missing = null;
  clock.advance(100);
  expect(readiness.why).toBeNull();
  missing = 'shop is missing';
  clock.advance(60_000);
  expect(told).toEqual(['shop is missing', null]);
});

test('what stays away holds it up for ten seconds, not for ever', () => {
  const { clock, readiness } = node();
  readiness.welcomeOnce(() => 'shop is missing');
  clock.advance(9_900);
  expect(readiness.why).toBe('shop is missing');
  clock.advance(100);
  expect(readiness.why).toBeNull();
});

test('a node that drains while it waits stays unready', () => {
  const { clock, told, readiness } = node();
  readiness.welcomeOnce(() => 'shop is missing');
  readiness.set('the gateway is draining');
  clock.advance(60_000);
  expect(told).toEqual(['shop is missing', 'the gateway is draining']);
});
