import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Admin, Producer } from '@platformatic/kafka';
import { Redis } from 'ioredis';
import { postgresEvent } from '../../../src/changes/debezium/fixtures.ts';
import {
  kafkaLibraries,
  kafkaServer,
  mariadbServer,
  natsServer,
  redisServer,
  skippedWithout,
} from '../../../src/testkit/index.ts';
import { PostgresServer } from '../postgres-server.ts';

/** A server that a source follows, and what a test does to it. */
export interface FollowedServer {
  /** Of a source that follows the table `orders`, as a config has it, without `tables`. */
  readonly reader: object;
  readonly table: string;
  /** Commits a new row of that number; resolves once it is durable. */
  commit(id: number): Promise<unknown>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface Kind {
  readonly name: string;
  /** Why it can't be run here; empty where it can. */
  readonly without: string;
  make(): Promise<FollowedServer>;
}

const TOPIC = 'shop.public.orders';
const event = (id: number) => JSON.stringify(postgresEvent('c', null, { id }));

async function postgres(): Promise<FollowedServer> {
  const server = await PostgresServer.create();
  await server.query('create table orders (id int primary key)');
  return {
    reader: { postgres: { url: server.url() } },
    table: 'public.orders',
    commit: (id) => server.query('insert into orders values ($1)', [id]),
    kill: () => server.stop('immediate'),
    start: () => server.start(),
    close: () => server.close(),
  };
}

async function mariadb(): Promise<FollowedServer> {
  const server = await mariadbServer();
  await server.run('create table shop.orders (id int primary key)');
  const url = `mysql://tidegate:secret@127.0.0.1:${server.port}/shop`;
  return {
    reader: { mysql: { url, serverId: 77 } },
    table: 'shop.orders',
    commit: (id) => server.run(`insert into shop.orders values (${id})`),
    kill: () => server.kill(),
    start: () => server.start(),
    close: () => server.close(),
  };
}

async function redisStreams(): Promise<FollowedServer> {
  const server = await redisServer({ appendonly: 'yes', appendfsync: 'always' });
  const client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null });
  client.on('error', () => {});
  return {
    reader: { redis: { url: server.url, streams: [TOPIC] } },
    table: 'public.orders',
    commit: (id) => client.xadd(TOPIC, '*', JSON.stringify({ id }), event(id)),
    kill: () => server.kill(),
    start: () => server.start(),
    async close() {
      client.disconnect();
      await server.close();
    },
  };
}

async function nats(): Promise<FollowedServer> {
  const server = await natsServer();
  const connection = await connect({
    servers: server.address,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'DebeziumStream', subjects: ['shop.>'] });
  return {
    reader: { nats: { url: `nats://${server.address}`, stream: 'DebeziumStream' } },
    table: 'public.orders',
    commit: (id) => jetstream(connection).publish(TOPIC, event(id), { timeout: 2000 }),
    kill: () => server.kill(),
    start: () => server.start(),
    async close() {
      await connection.close();
      await server.close();
    },
  };
}

const libraries = kafkaLibraries();

async function kafka(): Promise<FollowedServer> {
  const server = await kafkaServer(libraries!);
  const brokers = [server.address];
  const admin = new Admin({ clientId: 'admin', bootstrapBrokers: brokers, retries: 20, retryDelay: 200 });
  await admin.createTopics({ topics: [TOPIC], partitions: 1, replicas: 1 });
  await admin.close();
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: brokers,
    retries: 20,
    retryDelay: 200,
  });
  return {
    reader: { kafka: { brokers, topics: [TOPIC] } },
    table: 'public.orders',
    commit: (id) => {
      const message = { topic: TOPIC, key: Buffer.from(`{"id":${id}}`), value: Buffer.from(event(id)) };
      return producer.send({ messages: [message], acks: -1 });
    },
    kill: () => server.kill(),
    start: () => server.start(),
    async close() {
      await producer.close(true).catch(() => {});
      await server.close();
    },
  };
}

export const KINDS: readonly Kind[] = [
  { name: 'PostgreSQL', without: '', make: postgres },
  { name: 'MariaDB', without: skippedWithout('MariaDB', 'mariadbd', 'mysqld'), make: mariadb },
  { name: 'Redis Streams', without: '', make: redisStreams },
  { name: 'NATS JetStream', without: skippedWithout('NATS', 'nats-server'), make: nats },
  {
    name: 'Kafka',
    without: libraries === null ? 'no Java 17 with Maven (or TIDEGATE_KAFKA_LIBS) on this machine' : '',
    make: kafka,
  },
];
