import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createNatsSource } from '../../src/changes/nats/index.ts';
import { until } from '../../src/testkit/index.ts';
import { partsFor, Recording } from './recording.ts';

test('a NATS that is silent has one connection at a time, and none once the source has stopped', async () => {
  let made = 0;
  let open = 0;
  const server = createServer((socket) => {
    made++;
    open++;
    socket.resume();
    socket.on('close', () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const at = { servers: [address], user: null, password: null, token: null, tls: false };
  const config = { server: at, stream: 'S', durable: 'd', keys: new Map() };
  const source = createNatsSource(config, partsFor(new Recording({ 'public.orders': ['order:{row.id}'] })));
  source.start();
  await until(() => made > 1, 'another try', 10_000);
  expect(open).toBe(1);
  await source.stop();
  await until(() => open === 0, 'the last connection to be closed');
  server.close();
}, 20_000);
