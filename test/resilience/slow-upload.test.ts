import { expect, it } from 'vitest';
import { Gate, ManualClock, rawClient, scriptedOrigin, until } from '../../src/testkit/index.ts';
import { bareGateway } from '../bare-gateway.ts';
import { BUSY, OK } from './stage.ts';

it('a slow upload leaves its next try all the time there is for an answer', async () => {
  const clock = new ManualClock();
  const gate = new Gate();
  await using first = await scriptedOrigin(BUSY);
  await using second = await scriptedOrigin([
    (exchange) => gate.opened.then(() => exchange.send('HTTP/1.1 204 No Content\r\n\r\n')),
    OK,
  ]);
  const retries = { methods: ['POST'], on: [503] };
  const targets = [first.url, second.url];
  const shop = { targets, balance: 'roundRobin', timeout: '2s', retries, pool: { connections: 1 } };
  const config = { services: { shop }, routes: { all: { match: '/*', to: 'shop' } } };
  const { gateway, port } = await bareGateway(config, { clock });
  try {
    await using slow = await rawClient({ port });
    await slow.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nte');
    await until(() => first.connections[0]?.received.toString().endsWith('te') ?? false, 'half of its body');
    clock.advance(3000);
    await using ahead = await rawClient({ port });
    await ahead.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await second.nextHead();
    await slow.send('xt');
    await until(() => gateway.describe()[0]!.targets[1]!.connections.waiting === 1, 'the second try');
    clock.advance(1000);
    gate.open();
    expect([(await slow.response()).status, (await ahead.response()).status]).toEqual([200, 204]);
  } finally {
    await gateway.drain(0);
  }
});
