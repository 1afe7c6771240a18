import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { tempFolder } from '../testkit/index.ts';
import { usableCores } from './cores.ts';

test('`auto` heeds the quota of its container, rounded down but never to none', () => {
  using folder = tempFolder();
  const cores = (quota: string) => usableCores(folder.write('cpu.max', quota));
  expect(cores('100000 100000\n')).toBe(1);
  expect(cores('50000 100000\n')).toBe(1);
  expect(cores('199000 100000\n')).toBe(1);
  expect(cores('max 100000\n')).toBe(availableParallelism());
  expect(cores('99900000 100000\n')).toBe(availableParallelism());
  expect(cores('nonsense')).toBe(availableParallelism());
  expect(usableCores('/nowhere/cpu.max')).toBe(availableParallelism());
});
