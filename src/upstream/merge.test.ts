import { expect, test } from 'vitest';
import type { ServiceDescription } from './describe.ts';
import { mergeDescriptions } from './merge.ts';

const service = (
  part: Partial<ServiceDescription['targets'][number]>,
  breaker: ServiceDescription['breaker'] = 'closed',
): ServiceDescription => ({
  name: 'shop',
  breaker,
  active: 1,
  pending: 2,
  discovery: null,
  targets: [
    {
      name: 'http://a',
      weight: 1,
      state: 'active',
      health: 'up',
      connections: { open: 3, idle: 2, inUse: 1, waiting: 0 },
      requests: 10,
      failures: 1,
      retries: 0,
      lastFailure: null,
      ...part,
    },
  ],
});

test('numbers are added up, states are the worst, the last failure is the latest', () => {
  const early = { at: 5, message: 'early' };
  const late = { at: 9, message: 'late' };
  const [merged] = mergeDescriptions([
    [service({ lastFailure: late })],
    [service({ health: 'ejected', lastFailure: early }, 'open')],
  ]);
  expect(merged).toMatchObject({ breaker: 'open', active: 2, pending: 4 });
  expect(merged!.targets[0]).toMatchObject({
    health: 'ejected',
    requests: 20,
    failures: 2,
    lastFailure: late,
    connections: { open: 6, idle: 4 },
  });
});

test('trouble with finding targets is told of, whichever worker has it', () => {
  const found = { ...service({}), discovery: { error: null } };
  const lost = { ...service({}), discovery: { error: 'status 500' } };
  for (const workers of [
    [[found], [lost]],
    [[lost], [found]],
  ])
    expect(mergeDescriptions(workers)[0]!.discovery).toEqual({ error: 'status 500' });
  expect(mergeDescriptions([[found], [found]])[0]!.discovery).toEqual({ error: null });
});

test('a target that only one worker knows stays', () => {
  const [merged] = mergeDescriptions([[service({})], [service({ name: 'http://b' })]]);
  expect(merged!.targets.map(({ name }) => name)).toEqual(['http://a', 'http://b']);
});
