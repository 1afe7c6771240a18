import { expect, test } from 'vitest';
import { reply } from '../http/exchange.ts';
import { exchangeOf } from './fixtures.ts';
import type { Dispatch, Filter } from './route.ts';
import { behindSteps } from './steps.ts';

test.each([
  ['at once', null],
  ['later', Promise.resolve(null)],
])(
  'a request that was let pass %s is not asked again for what is tried after the first',
  async (_when, outcome) => {
    let asked = 0;
    const step: Filter = {
      phase: 'authenticate',
      run() {
        asked++;
        return outcome;
      },
    } as Filter;
    const taken: string[] = [];
    const takes =
      (name: string): Dispatch =>
      (exchange, out) => {
        taken.push(name);
        out.finish(exchange, reply(404, [], null), null);
      };
    const behind = behindSteps([step], null);
    const [first, second] = [behind(takes('first')), behind(takes('second'))];
    const exchange = exchangeOf();
    await new Promise<void>((resolve) =>
      first(exchange, { finish: () => second(exchange, { finish: () => resolve() }) }),
    );
    expect([asked, taken]).toEqual([1, ['first', 'second']]);
    await new Promise<void>((resolve) => first(exchangeOf(), { finish: () => resolve() }));
    expect(asked).toBe(2);
  },
);
