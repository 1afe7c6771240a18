import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'vitest';
import { createKafkaSource } from '../../src/changes/kafka/index.ts';
import { until } from '../../src/testkit/index.ts';
import { partsFor, Recording } from './recording.ts';

const TABLES = { 'public.orders': ['order:{row.id}'] };

test('what no broker would say breaks the connection, and ends no process', async () => {
  const sockets = new Set<Socket>();
  let made = 0;
  const server = createServer((socket) => {
    made++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    // A message too short for the number of what it answers.
    socket.on('data', () => socket.write(Buffer.from([0, 0, 0, 1, 0])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  const config = { brokers, topics: ['orders'], group: 'g', tls: false, sasl: null };
  const source = createKafkaSource(config, partsFor(new Recording(TABLES)));
  source.start();
  await until(() => made > 2, 'other tries', 10_000);
  await source.stop();
  await until(() => sockets.size === 0, 'its connections to be closed');
  server.close();
}, 20_000);
