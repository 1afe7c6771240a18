import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fences, LocalSequence } from '../../src/cache/index.ts';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import { NodeChanges } from '../../src/changes/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import {
  type MariaDbServer,
  mariadbServer,
  natsServer,
  redisServer,
  skippedWithout,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** From the file to the fences, with the sequence of a node that stands alone. */
let folder: TempFolder;
let fences: Fences;
let changes: NodeChanges;

beforeEach(() => {
  folder = tempFolder();
  fences = new Fences();
  const holders = {
    apply: async (number: number, what: Parameters<Fences['apply']>[1]) => fences.apply(number, what),
    raiseFloor: async (number: number) => fences.raiseFloor(number),
    synced: () => {},
  };
  changes = new NodeChanges({
    sequence: new LocalSequence(holders),
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    announce: async () => {},
    announceWrites: async () => {},
  });
});

afterEach(async () => {
  await changes.stop();
  folder.close();
});

async function follow(source: string): Promise<void> {
  const file = folder.write(
    'tidegate.yaml',
    `services: { a: { url: http://127.0.0.1:1 } }\nroutes: { a: { match: /a, to: a } }\nchanges:\n  it: ${source}\n`,
  );
  const { config, issues } = await loadConfig(file, { env: {} });
  if (config === null || config === undefined) throw new Error(JSON.stringify(issues));
  await changes.follow(config);
  await until(() => about().state === 'streaming', 'the source to stream', 10_000).catch((error: Error) =>
    Promise.reject(new Error(`${error.message}: ${JSON.stringify(about())}`)),
  );
}

const about = () => changes.describe()[0]!;
/** An entry of these tags that is filled now. */
const entry = (...tags: string[]) => ({ sequence: fences.sequence, tags, url: 'http://a/' });
const event = (id: number) => JSON.stringify(postgresEvent('u', { id }, { id }));

test('Redis Streams', async () => {
  await using server = await redisServer();
  await follow(
    `{ redis: { url: '${server.url}', streams: [shop.public.orders] }, tables: { public.orders: ['order:{row.id}'] } }`,
  );
  const [changed, other] = [entry('order:1'), entry('order:2')];
  const client = new Redis(server.port);
  await client.xadd('shop.public.orders', '*', '{"id":1}', event(1));
  client.disconnect();
  await until(() => fences.isDead(changed), 'the entry to be unseated');
  expect(fences.isDead(other)).toBe(false);
  await until(() => about().position === '0/35C68778', 'the position');
  expect(about()).toMatchObject({ name: 'it', kind: 'redis', events: 1, skipped: 0, error: null });
});

test('HTTP', async () => {
  await follow(`{ http: { token: secret }, tables: { public.orders: ['order:{row.id}'] } }`);
  const [changed, other] = [entry('order:1'), entry('order:2')];
  const post = (token: string) =>
    changes.push('it', { headers: { authorization: `Bearer ${token}` }, body: Buffer.from(event(1)) });
  expect(await post('other')).toMatchObject({ status: 401 });
  expect(fences.isDead(changed)).toBe(false);
  expect(await post('secret')).toEqual({ status: 200, detail: null });
  expect(fences.isDead(changed)).toBe(true);
  expect(fences.isDead(other)).toBe(false);
  expect(about()).toMatchObject({ kind: 'http', position: '0/35C68778' });
});

test.skipIf(skippedWithout('NATS', 'nats-server') !== '')('NATS JetStream', async () => {
  const server = await natsServer();
  try {
    const connection = await connect({ servers: server.address });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'DebeziumStream', subjects: ['shop.>'] });
    await follow(
      `{ nats: { url: 'nats://${server.address}' }, tables: { public.orders: ['order:{row.id}'] } }`,
    );
    const [changed, other] = [entry('order:1'), entry('order:2')];
    await jetstream(connection).publish('shop.public.orders', event(1));
    await until(() => fences.isDead(changed), 'the entry to be unseated');
    expect(fences.isDead(other)).toBe(false);
    await connection.close();
    await changes.stop();
  } finally {
    await server.close();
  }
});

test.skipIf(skippedWithout('MariaDB', 'mariadbd', 'mysqld') !== '')('MariaDB', async () => {
  const server: MariaDbServer = await mariadbServer();
  try {
    await server.run('create table shop.items (id int primary key, sku varchar(20))');
    await follow(
      `{ mysql: { url: 'mysql://tidegate:secret@127.0.0.1:${server.port}/shop', serverId: 77 }, tables: { shop.items: ['sku:{row.sku}'] } }`,
    );
    const [changed, old, other] = [entry('sku:b'), entry('sku:a'), entry('sku:c')];
    await server.run("insert into shop.items values (1, 'a')", "update shop.items set sku = 'b'");
    await until(() => fences.isDead(changed), 'the entry to be unseated');
    expect(fences.isDead(old)).toBe(true);
    expect(fences.isDead(other)).toBe(false);
    const [row] = await server.run('select @@gtid_binlog_pos as at');
    await until(() => about().position === row?.at, 'the position');
    await changes.stop();
  } finally {
    await server.close();
  }
});
