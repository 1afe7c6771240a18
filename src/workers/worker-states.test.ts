import { expect, it } from 'vitest';
import type { WorkerState } from './node-metrics.ts';
import { byNumber } from './worker-states.ts';

const state = (worker: number, connections: number): WorkerState => ({
  worker,
  connections,
  delay: connections / 1000,
  heap: 10,
  resident: 20,
  auth: {},
});

it('a worker that was replaced and still has tunnels is told with its successor, as one', () => {
  expect(byNumber([state(1, 3), state(2, 0), state(1, 2)])).toEqual([
    { ...state(1, 5), delay: 0.003, heap: 20, resident: 40 },
    state(2, 0),
  ]);
});
