import { jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectSource, type SourceFinding } from '../../src/changes/index.ts';
import {
  type KafkaTestServer,
  kafkaLibraries,
  kafkaServer,
  type MariaDbServer,
  mariadbServer,
  type NatsTestServer,
  natsServer,
  noRedis,
  type RedisServer,
  redisServer,
  skippedWithout,
} from '../../src/testkit/index.ts';
import { changesOf } from './node.ts';
import { PostgresServer } from './postgres-server.ts';

/** As `check --connect` asks. */
const inspect = (source: object): Promise<SourceFinding> => inspectSource(changesOf({ it: source }).it!);
const NOBODY = '127.0.0.1:1';

describe('`check --connect` of PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.query('create table orders (id int primary key, customer_id int)');
  }, 60_000);
  afterAll(() => server?.close());
  const of = (url: string, tables: object = { 'public.orders': ['order:{row.id}'] }) =>
    inspect({ postgres: { url }, tables });

  test('finds nothing wrong with one that is in order, and makes nothing', async () => {
    expect(await of(server.url())).toEqual({ error: null, advice: [] });
    const [slots] = await server.query('select count(*)::int as count from pg_replication_slots');
    expect(slots?.count).toBe(0);
  });

  test('says what REPLICA IDENTITY costs, and the statement that mends it', async () => {
    const { advice } = await of(server.url(), { 'public.orders': ['customer:{row.customer_id}'] });
    expect(advice[0]).toContain('ALTER TABLE "public"."orders" REPLICA IDENTITY FULL;');
  });

  test.each([
    ['a table that is not there', { 'public.order': ['o:{row.id}'] }, 'did you mean public.orders?'],
    ['a column that is not there', { 'public.orders': ['o:{row.custmer_id}'] }, 'did you mean customer_id?'],
  ])('names %s, and what may have been meant', async (_name, tables, said) => {
    expect((await of(server.url(), tables)).error).toContain(said);
  });

  test('says that nobody answers', async () => {
    expect((await of(`postgres://u:p@${NOBODY}/d`)).error).toContain('refuses connections');
  });
});

describe.skipIf(skippedWithout('MariaDB', 'mariadbd', 'mysqld') !== '')(
  '`check --connect` of MariaDB',
  () => {
    let server: MariaDbServer;
    beforeAll(async () => {
      server = await mariadbServer();
      await server.run(
        'create table shop.items (id int primary key, sku varchar(20), raw binary(4))',
        "create user nobody@'127.0.0.1' identified by 'secret'",
        "grant select on shop.* to nobody@'127.0.0.1'",
      );
    }, 60_000);
    afterAll(() => server?.close());
    const of = (
      tables: object = { 'shop.items': ['sku:{row.sku}'] },
      { user = 'tidegate', password = 'secret', serverId = 77, port = server.port } = {},
    ) => inspect({ mysql: { url: `mysql://${user}:${password}@127.0.0.1:${port}/shop`, serverId }, tables });

    test('finds nothing wrong with one that is in order', async () => {
      expect(await of()).toEqual({ error: null, advice: [] });
    });

    test('names what is wrong with its log, and the statement that mends it', async () => {
      await server.run("set global binlog_format = 'STATEMENT'");
      expect((await of()).error).toContain("SET GLOBAL binlog_format = 'ROW'");
      await server.run("set global binlog_format = 'ROW'", "set global binlog_row_image = 'MINIMAL'");
      expect((await of()).error).toContain("SET GLOBAL binlog_row_image = 'FULL'");
      await server.run("set global binlog_row_image = 'FULL'", "set global binlog_row_metadata = 'MINIMAL'");
      expect((await of()).advice[0]).toContain("SET GLOBAL binlog_row_metadata = 'FULL'");
      await server.run("set global binlog_row_metadata = 'FULL'");
    });

    test('names the right that its user lacks', async () => {
      expect((await of(undefined, { user: 'nobody' })).error).toContain('GRANT REPLICATION SLAVE');
      const refused = await of(undefined, { password: 'guessed' });
      expect(refused.error).toContain('is the password right?');
      expect(JSON.stringify(refused)).not.toContain('guessed');
    });

    test('names tables and columns that are not there, and binary ones', async () => {
      expect((await of({ 'shop.item': ['i:{row.id}'] })).error).toContain('did you mean shop.items?');
      expect((await of({ 'shop.items': ['i:{row.skus}'] })).error).toContain('did you mean sku?');
      expect((await of({ 'shop.items': ['raw:{row.raw}'] })).advice[0]).toContain('shop.items.raw is binary');
    });

    test('says that a serverId is the server’s own, and that nobody answers', async () => {
      expect((await of(undefined, { serverId: 1 })).error).toContain('serverId 1 is the server');
      expect((await of(undefined, { port: 1 })).error).toContain('refuses connections');
    });
  },
);

describe.skipIf(noRedis())('`check --connect` of Redis Streams', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
    await server.command('XADD', 'shop.public.orders', '*', 'a', 'b');
    await server.command('SET', 'shop.public.text', 'x');
    await server.command(
      'ACL',
      'SETUSER',
      'weak',
      'on',
      '>secret',
      '~*',
      '+@connection',
      '+info',
      '+type',
      '+ping',
    );
  });
  afterAll(() => server?.close());
  const of = (streams: string[], url = server.url) =>
    inspect({ redis: { url, streams }, tables: { 'public.orders': ['order:{row.id}'] } });

  test('finds nothing wrong with one that is in order', async () => {
    expect(await of(['shop.public.orders'])).toEqual({ error: null, advice: [] });
  });

  test('names a stream that is none, and one that is not there yet', async () => {
    expect((await of(['shop.public.text'])).error).toContain('shop.public.text is a string, not a stream');
    expect((await of(['shop.public.new'])).advice[0]).toContain('there is no stream shop.public.new yet');
  });

  test('names rights that its user lacks, a password that is refused, and a policy that throws streams away', async () => {
    const weak = await of(['shop.public.orders'], `redis://weak:secret@127.0.0.1:${server.port}`);
    expect(weak.error).toContain('the user needs XREADGROUP');
    const refused = await of(['shop.public.orders'], `redis://weak:guessed@127.0.0.1:${server.port}`);
    expect(refused.error).toMatch(/refuse|WRONGPASS|password/i);
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    expect((await of(['shop.public.orders'])).advice[0]).toContain('noeviction');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect((await of(['shop.public.orders'], `redis://${NOBODY}`)).error).toContain('can not be reached');
  }, 20_000);
});

describe.skipIf(skippedWithout('NATS', 'nats-server') !== '')('`check --connect` of NATS', () => {
  let server: NatsTestServer;
  beforeAll(async () => {
    server = await natsServer();
    const connection = await connect({ servers: server.address });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'DebeziumStream', subjects: ['shop.>'], storage: StorageType.File });
    await manager.streams.add({
      name: 'Short',
      subjects: ['short.>'],
      storage: StorageType.Memory,
      retention: RetentionPolicy.Interest,
      max_age: 60 * 1e9,
    });
    await connection.close();
  }, 30_000);
  afterAll(() => server?.close());
  const of = (stream: string, url = `nats://${server.address}`) =>
    inspect({ nats: { url, stream }, tables: { 'public.orders': ['order:{row.id}'] } });

  test('finds nothing wrong with one that is in order', async () => {
    expect(await of('DebeziumStream')).toEqual({ error: null, advice: [] });
  });

  test('names a stream that is not there, and what may have been meant', async () => {
    expect((await of('DebeziumStreams')).error).toContain('did you mean DebeziumStream?');
  });

  test('says what a stream would lose, and that nobody answers', async () => {
    const { advice } = await of('Short');
    expect(advice.join('\n')).toMatch(/kept in memory[\s\S]*after 60 s[\s\S]*only what a consumer waits for/);
    expect((await of('DebeziumStream', `nats://${NOBODY}`)).error).toContain('refuses connections');
  });
});

const libraries = kafkaLibraries();
describe.skipIf(libraries === null)('`check --connect` of Kafka', () => {
  let server: KafkaTestServer;
  beforeAll(async () => {
    server = await kafkaServer(libraries!);
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.address] });
    await admin.createTopics({ topics: ['shop.public.orders'], partitions: 1, replicas: 1 });
    await admin.createTopics({
      topics: ['shop.public.compacted'],
      partitions: 1,
      replicas: 1,
      configs: [{ name: 'cleanup.policy', value: 'compact' }],
    });
    await admin.close();
  }, 60_000);
  afterAll(() => server?.close());
  const of = (topics: string[], brokers = [server.address]) =>
    inspect({ kafka: { brokers, topics }, tables: { 'public.orders': ['order:{row.id}'] } });

  test('finds nothing wrong with one that is in order', async () => {
    expect(await of(['shop.public.orders'])).toEqual({ error: null, advice: [] });
  });

  test('names a topic that is not there, one that is compacted, and brokers that do not answer', async () => {
    expect((await of(['shop.public.order'])).error).toContain('did you mean shop.public.orders?');
    expect((await of(['shop.public.compacted'])).advice[0]).toContain('cleanup.policy=delete');
    expect((await of(['shop.public.orders'], [NOBODY])).error).toContain('no broker can be reached');
  });
});
