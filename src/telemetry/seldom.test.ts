import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import type { LogFields, Logger } from './log.ts';
import { Seldom } from './seldom.ts';

function listen(): { seldom: Seldom; clock: ManualClock; told: LogFields[] } {
  const told: LogFields[] = [];
  const warn = (_message: string, fields: LogFields = {}) => void told.push(fields);
  const log: Logger = { info() {}, error() {}, warn, with: () => log };
  const clock = new ManualClock(0);
  return { seldom: new Seldom(log, clock), clock, told };
}

test('what happens often is told once a second, with how often it did', () => {
  const { seldom, clock, told } = listen();
  for (let i = 0; i < 1000; i++) seldom.warn('refused', { route: 'a' });
  seldom.warn('refused', { route: 'b' });
  clock.advance(1000);
  seldom.warn('refused', { route: 'a' });
  expect(told).toEqual([
    { route: 'a', count: 1 },
    { route: 'b', count: 1 },
    { route: 'a', count: 1000 },
  ]);
});

test('a flood of different things is told once a second, too', () => {
  const { seldom, told } = listen();
  for (let i = 0; i < 100_000; i++) seldom.warn('refused', { why: `no such thing: ${i}` });
  expect(told.length).toBeLessThanOrEqual(1001);
});
