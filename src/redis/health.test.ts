import { describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/index.ts';
import { ManualClock } from '../testkit/index.ts';
import { Health } from './health.ts';

function health() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const writer = {
    write: (line: string) => void lines.push(JSON.parse(line).message),
    flush: async () => true,
  };
  return { clock, lines, health: new Health(clock, createLogger({ format: 'json', writer })) };
}

describe('what the log is told of Redis', () => {
  it('is nothing where it is there from the start', () => {
    const { lines, health: one } = health();
    one.back();
    expect(lines).toEqual([]);
  });

  it('is one line when it goes and one when it is back', () => {
    const { clock, lines, health: one } = health();
    one.back();
    for (let i = 0; i < 1000; i++) one.away('closed');
    clock.advance(20_000);
    one.back();
    expect(lines).toEqual(['Redis is away; going on without it', 'Redis is back']);
  });

  it('is at most one line in ten seconds of a connection that comes and goes, and the last of them is true', () => {
    const { clock, lines, health: one } = health();
    for (let i = 0; i < 60; i++) {
      one.away('closed');
      clock.advance(500);
      one.back();
      clock.advance(500);
    }
    expect(lines.length).toBeLessThanOrEqual(7);
    clock.advance(20_000);
    expect(lines.at(-1)).toBe('Redis is back');
    one.close();
    expect(clock.pending).toBe(0);
  });
});
