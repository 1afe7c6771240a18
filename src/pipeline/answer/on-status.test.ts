import { expect, test } from 'vitest';
import { Exchange, type Reply, reply } from '../../http/exchange.ts';
import { ManualClock } from '../../testkit/index.ts';
import { OnStatus } from './on-status.ts';

test('a bug in what is asked in the place of an answer is a 500, not the end of the worker', () => {
  const broken = new OnStatus([
    {
      range: [503, 503],
      actions: [
        {
          kind: 'to',
          fromService: false,
          dispatch: () => {
            throw new Error('bug');
          },
        },
      ],
    },
  ]);
  const origin = { listener: 'main', scheme: 'http' as const, address: '127.0.0.1', port: 80 };
  const exchange = new Exchange(origin, { inform() {}, respond() {} }, 'GET', '/', 'a', 11, [], null, 0);
  const settled: Reply[] = [];
  const taken = broken.handle(
    exchange,
    reply(503, [], null),
    { get: () => undefined },
    new ManualClock(),
    (answer) => settled.push(answer),
  );
  expect(taken).toBe(true);
  expect(settled.map(({ status, failure }) => [status, failure?.code])).toEqual([[500, 'TG_INTERNAL']]);
});
