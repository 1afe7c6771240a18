import { expect, it } from 'vitest';
import { turn } from '../../testkit/index.ts';
import { Confirming } from './confirming.ts';

it('one question is under way at a time, and who comes meanwhile shares one that is asked later', async () => {
  const asked: ((confirmed: boolean) => void)[] = [];
  const confirming = new Confirming(() => new Promise((resolve) => asked.push(resolve)));
  const first = confirming.confirmed();
  const others = [confirming.confirmed(), confirming.confirmed()];
  expect(asked).toHaveLength(1);
  asked[0]!(false);
  expect(await first).toBe(false);
  await turn();
  expect(asked).toHaveLength(2);
  asked[1]!(true);
  expect(await Promise.all(others)).toEqual([true, true]);
  const last = confirming.confirmed();
  expect(asked).toHaveLength(3);
  asked[2]!(true);
  expect(await last).toBe(true);
});
