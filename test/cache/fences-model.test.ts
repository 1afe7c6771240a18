import { describe, expect, test } from 'vitest';
import { explore, type Faults, type Mutation } from './fences-model.ts';

const TIMEOUT = 60_000;

/** `A` is the node where purges come from, `B` another one. */
const RUNS: ['A' | 'B', Faults][] = [
  ['A', {}],
  ['A', { stop: true }],
  ['A', { cut: true }],
  ['A', { gap: true }],
  ['A', { restart: true }],
  ['A', { away: true }],
  ['A', { away: true, restart: true }],
  ['A', { away: true, cut: true }],
  ['A', { stop: true, restart: true }],
  ['A', { late: true }],
  ['A', { late: true, gap: true }],
  ['B', {}],
  ['B', { stop: true }],
  ['B', { cut: true }],
  ['B', { gap: true }],
  ['B', { restart: true }],
  ['B', { stop: true, cut: true }],
  ['B', { late: true }],
  ['B', { late: true, gap: true }],
];

const named = (faults: Faults) => Object.keys(faults).join(' and ') || 'nothing goes wrong';

describe('in every interleaving of reader, filler and purger nothing stale is answered', () => {
  test.for(RUNS.map(([node, faults]) => [node, named(faults), faults] as const))(
    'at node %s: %s',
    { timeout: TIMEOUT },
    ([node, , faults]) => {
      const { stale, states, answers } = explore(node, faults);
      expect(stale).toBeNull();
      // Entries were there to be answered from: nothing was proven of an empty cache.
      expect(answers).toBeGreaterThan(100);
      expect(states).toBeGreaterThan(1000);
    },
  );
});

describe('without one of its rules a stale answer is found', () => {
  const mutations: [Mutation, 'A' | 'B', Faults][] = [
    ['the fence is taken after the read', 'A', {}],
    ['the fence is taken after the read', 'B', {}],
    ['a purge does not wait for workers', 'A', {}],
    ['a worker answers without its lease', 'A', { stop: true }],
    ['a node that is cut off goes on', 'B', { cut: true }],
    ['a gap is passed over', 'B', { gap: true }],
    ['a new epoch is taken for the old one', 'B', { restart: true }],
    ['what was found alive stays so until a greater number comes', 'A', { late: true }],
    ['what was found alive stays so until a greater number comes', 'B', { late: true }],
    ['a gap is closed at the number behind it', 'B', { late: true, gap: true }],
  ];
  test.for(mutations)('%s, at node %s', { timeout: TIMEOUT }, ([mutation, node, faults]) => {
    const { stale } = explore(node, faults, mutation);
    expect(stale).toContainEqual(expect.stringMatching(/stores$/));
    expect(stale).toContainEqual(expect.stringMatching(/is told as done$/));
  });
});
