import type { WorkerState } from './node-metrics.ts';

/** A worker that was replaced and still has connections stands under one number with its successor. */
export function byNumber(workers: readonly WorkerState[]): WorkerState[] {
  const told = new Map<number, WorkerState>();
  for (const state of workers) {
    const other = told.get(state.worker);
    told.set(state.worker, other === undefined ? state : together(other, state));
  }
  return [...told.values()].sort((a, b) => a.worker - b.worker);
}

function together(a: WorkerState, b: WorkerState): WorkerState {
  return {
    ...b,
    delay: Math.max(a.delay, b.delay),
    heap: a.heap + b.heap,
    resident: a.resident + b.resident,
    connections: a.connections + b.connections,
  };
}
