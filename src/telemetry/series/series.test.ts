import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testkit/index.ts';
import { addTime } from '../metrics/route-detail.ts';
import { edgeMoves, listenerMoves, type Moves, noMoves, routeMoves } from './moves.ts';
import { REMEMBERED, type Sample, Series } from './series.ts';

/** Requests to a route, each of which took these seconds. */
function seen(route: string, durations: readonly number[], more: object = {}): Moves {
  const moves = noMoves();
  const one = routeMoves(moves, route);
  Object.assign(one, { requests: durations.length, ...more });
  for (const seconds of durations) addTime(one.durations, 0, seconds);
  edgeMoves(moves, route, 'shop').requests += durations.length;
  listenerMoves(moves, 'main', route).requests += durations.length;
  return moves;
}

describe('the series of a node', () => {
  it('sums what its workers saw in a second', () => {
    const clock = new ManualClock();
    const series = new Series(clock);
    series.add(seen('a', [0.001, 0.001], { cached: 2, hits: 1, errors: 1 }));
    series.add(seen('a', [0.001], { cached: 2, hits: 2 }));
    series.add(seen('b', [0.4], { refused: 1 }));
    clock.advance(1000);
    const { p50, p99, ...counts } = series.view();
    expect(counts).toEqual({
      step: 1,
      until: new Date(clock.wall()).toISOString(),
      requests: [4],
      hitShare: [0.75],
      errors: [1],
      refused: [1],
    });
    expect(p50[0]).toBeLessThanOrEqual(0.001);
    expect(p99[0]).toBeGreaterThan(0.25);
    series.stop();
  });

  it('has a place for each second without a request, also for those that a busy process missed', () => {
    const clock = new ManualClock();
    const series = new Series(clock);
    clock.advance(2000);
    series.add(seen('a', [0.001]));
    clock.advance(1000);
    expect(series.view()).toMatchObject({
      requests: [0, 0, 1],
      p50: [null, null, expect.any(Number)],
      hitShare: [null, null, null],
    });
    series.stop();
  });

  it('remembers ten minutes and no more', () => {
    const clock = new ManualClock();
    const series = new Series(clock);
    series.add(seen('a', [0.001]));
    for (let i = 0; i < REMEMBERED; i++) clock.advance(1000);
    expect(series.view().requests).toHaveLength(REMEMBERED);
    expect(series.view().requests[0]).toBe(1);
    clock.advance(1000);
    expect(series.view().requests).toEqual(Array(REMEMBERED).fill(0));
    series.stop();
  });

  it('tells each second to those who listen: only what moved, and by route, service and listener', () => {
    const clock = new ManualClock();
    const series = new Series(clock);
    const samples: Sample[] = [];
    const stop = series.onSample((sample) => samples.push(sample));
    series.add(seen('a', [0.001, 0.001]));
    clock.advance(1000);
    clock.advance(1000);
    stop();
    clock.advance(1000);
    expect(samples).toHaveLength(2);
    expect(samples[0]).toMatchObject({
      requests: 2,
      routes: { a: { requests: 2, hits: 0, refused: 0, errors: 0 } },
      edges: [{ route: 'a', service: 'shop', requests: 2, errors: 0 }],
      listeners: [{ listener: 'main', route: 'a', requests: 2 }],
    });
    expect(samples[1]).toMatchObject({ requests: 0, p50: null, p99: null, hitShare: null });
    expect([samples[1]!.routes, samples[1]!.edges, samples[1]!.listeners]).toEqual([{}, [], []]);
    series.stop();
    expect(clock.pending).toBe(0);
  });
});
