import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'vitest';
import { createKafkaSource } from '../../src/changes/kafka/index.ts';
import { until } from '../../src/testkit/index.ts';
import { Secret } from '../../src/util/secret.ts';
import { partsFor, Recording } from './recording.ts';

const TABLES = { 'public.orders': ['order:{row.id}'] };

const LOGIN = { mechanism: 'PLAIN', username: 'tidegate', password: new Secret('secret') } as const;
const BREAKS = {
  'a message too short for the number of what it answers': (socket: Socket) =>
    void socket.write(Buffer.from([0, 0, 0, 1, 0])),
  'a reset': (socket: Socket) => socket.resetAndDestroy(),
};

test.each([
  ['a message too short for the number of what it answers', null],
  ['a reset', null],
  ['a reset', LOGIN],
] as const)(
  'a broker ends no process by %s, to one that logs in with %o',
  async (broken, sasl) => {
    const sockets = new Set<Socket>();
    let made = 0;
    const server = createServer((socket) => {
      made++;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
      socket.on('data', () => BREAKS[broken](socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
    const config = { brokers, topics: ['orders'], group: 'g', tls: false, sasl };
    const source = createKafkaSource(config, partsFor(new Recording(TABLES)));
    source.start();
    await until(() => made > 2, 'other tries', 10_000);
    await source.stop();
    await until(() => sockets.size === 0, 'its connections to be closed');
    server.close();
  },
  20_000,
);
