import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Source, SourceParts } from '../../src/changes/index.ts';
import { createMysqlSource } from '../../src/changes/mysql/index.ts';
import {
  cuttingProxy,
  type MariaDbServer,
  mariadbServer,
  skippedWithout,
  until,
} from '../../src/testkit/index.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';
import { dies, writing } from './writing.ts';

const TABLES = { 'shop.items': ['item:{row.id}', 'sku:{row.sku}'], 'shop.prices': ['price:{row.price}'] };
const skip = skippedWithout('MariaDB', 'mariadbd', 'mysqld');
if (skip !== '') console.log(`MySQL source: ${skip}`);

describe.skipIf(skip !== '')('the binary log of MariaDB', () => {
  let server: MariaDbServer;
  let memory: RecordingMemory;
  let sources: Source[];

  beforeAll(async () => {
    server = await mariadbServer();
  });

  beforeEach(async () => {
    memory = new RecordingMemory();
    sources = [];
    await server.run(
      'create or replace table shop.items (id bigint primary key, sku varchar(40), note text)',
      'create or replace table shop.prices (id int primary key, price decimal(10,2), j json)',
      'create or replace table shop.others (id int primary key)',
    );
  });

  afterEach(async () => {
    await Promise.all(sources.map((source) => source.stop()));
  });

  afterAll(async () => {
    await server?.close();
  });

  function follow(more: Partial<SourceParts> & { serverId?: number; port?: number } = {}) {
    const sink = new Recording(TABLES);
    const { port = server.port } = more;
    const at = { host: '127.0.0.1', port, user: 'tidegate', password: 'secret', tls: null };
    const source = createMysqlSource(
      { server: at, serverId: more.serverId ?? 4711 },
      partsFor(sink, { memory, ...more }),
    );
    source.start();
    sources.push(source);
    return { sink, source };
  }

  async function streaming(sink: Recording): Promise<void> {
    const isStreaming = until(() => sink.status === 'streaming' && sink.opened > 0, 'the source to stream');
    await isStreaming.catch((error) =>
      Promise.reject(new Error(`${error.message}: ${JSON.stringify(sink.states)}`)),
    );
  }

  const familiesOf = (sink: Recording, table: string) => sink.mapping.tables.get(table)!.families;

  test('inserts, updates and deletes give the tags of the old and the new row; a transaction is one', async () => {
    const { sink } = follow();
    await streaming(sink);
    await server.run("insert into shop.items values (9007199254740993, 'a', null)");
    await until(() => sink.batches === 1, 'the insert');
    expect(sink.tags).toEqual(['item:9007199254740993', 'sku:a']);
    await server.run("update shop.items set sku = 'b'", 'delete from shop.items');
    await until(() => sink.batches === 3, 'update and delete');
    expect(sink.tags.slice(2)).toEqual([
      'item:9007199254740993',
      'sku:a',
      'sku:b',
      'item:9007199254740993',
      'sku:b',
    ]);
    await server.run(
      'start transaction',
      "insert into shop.items values (1, 'x', null)",
      'insert into shop.others values (1)',
      "insert into shop.prices values (1, 1.50, '{}')",
      'commit',
    );
    await until(() => sink.seen.has('price:1.50'), 'the transaction');
    expect(sink.batches).toBe(4);
    expect(sink.tags.slice(-4)).toEqual(['item:1', 'sku:x', 'price:1.5', 'price:1.50']);
    expect(sink.complaints).toEqual([]);
  });

  test('values stand in tags in their canonical form; what its readers spell in several ways is no tag', async () => {
    await server.run(
      'create or replace table shop.items (id bigint unsigned primary key, sku char(36), note text)',
      'create or replace table shop.prices (id int primary key, price float, j json)',
    );
    const { sink } = follow();
    await streaming(sink);
    await server.run(
      "insert into shop.items values (18446744073709551615, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', null)",
      'insert into shop.prices values (1, 0.5, null), (2, 0.1, null)',
    );
    await until(() => sink.batches === 2, 'both inserts');
    expect(sink.tags).toEqual([
      'item:18446744073709551615',
      'sku:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'price:0.5',
      ...familiesOf(sink, 'shop.prices'),
    ]);
  });

  test('a negative TIME fences its table: it is another one by the time it comes', async () => {
    await server.run('create or replace table shop.prices (id int primary key, price time, j json)');
    const { sink } = follow();
    await streaming(sink);
    await server.run("insert into shop.prices values (1, '12:30:00', null)");
    await until(() => sink.seen.has('price:12:30:00'), 'the first');
    await server.run("insert into shop.prices values (2, '-12:30:00', null)");
    await until(() => sink.batches === 2, 'the second');
    expect(sink.tags.slice(1)).toEqual(familiesOf(sink, 'shop.prices'));
  });

  test('BOOLEAN has the tags of the number and of the boolean, for its readers show it as either', async () => {
    await server.run('create or replace table shop.prices (id int primary key, price boolean, j json)');
    const { sink } = follow();
    await streaming(sink);
    await server.run('insert into shop.prices values (1, true, null), (2, false, null)');
    await until(() => sink.batches === 1, 'the insert');
    expect(sink.tags).toEqual(['price:1', 'price:true', 'price:0', 'price:false']);
  });

  test('its position is the GTID that the server itself names, also for changes of other tables', async () => {
    const { sink } = follow();
    await streaming(sink);
    await server.run('insert into shop.others values (2)');
    const [row] = await server.run('select @@gtid_binlog_pos as at');
    await until(() => sink.positions.at(-1) === row?.at, 'the position');
    expect(sink.batches).toBe(0);
  });

  test('what goes with a row of another table by a foreign key is in no log, and fenced as a whole', async () => {
    await server.run(
      'create or replace table shop.owners (id int primary key, name varchar(20))',
      'create or replace table shop.carts (id int primary key, owner int, foreign key (owner) references shop.owners (id) on delete cascade)',
      'create or replace table shop.items (id bigint primary key, sku varchar(40), cart int, foreign key (cart) references shop.carts (id) on delete set null on update cascade)',
      "insert into shop.owners values (1, 'a'), (2, 'b')",
      'insert into shop.carts values (1, 1), (2, 2)',
      "insert into shop.items values (1, 'x', 1), (2, 'y', 2)",
    );
    const { sink } = follow();
    await streaming(sink);
    await server.run("update shop.owners set name = 'c'", 'insert into shop.carts values (3, 2)');
    await server.run('update shop.carts set id = 9 where id = 2', 'delete from shop.owners where id = 1');
    const families = familiesOf(sink, 'shop.items');
    await until(() => sink.batches === 2, 'the update of a key, and the delete');
    expect(sink.tags).toEqual([...families, ...families]);
  });

  test('a foreign key that is added while it streams counts from there on', async () => {
    await server.run(
      'create or replace table shop.people (id int primary key)',
      'insert into shop.people values (1)',
    );
    await server.run(
      'create or replace table shop.items (id bigint primary key, sku varchar(40), owner int)',
    );
    await server.run("insert into shop.items values (1, 'x', 1)");
    const { sink } = follow();
    await streaming(sink);
    await server.run('delete from shop.people where id = 7');
    await server.run(
      'alter table shop.items add foreign key (owner) references shop.people (id) on delete cascade',
      'delete from shop.people where id = 1',
    );
    await until(() => sink.batches === 2, 'the statement, and the delete');
    const families = familiesOf(sink, 'shop.items');
    expect(sink.tags).toEqual([...families, ...families]);
    expect(sink.gaps).toEqual([]);
  });

  test('TRUNCATE, DROP and ALTER fence their table; a statement in place of rows fences all', async () => {
    const { sink } = follow();
    await streaming(sink);
    await server.run('truncate shop.items');
    await until(() => sink.batches === 1, 'the truncate');
    expect(sink.tags.sort()).toEqual([...familiesOf(sink, 'shop.items')].sort());
    await server.run('alter table shop.prices add column more int');
    await until(() => sink.batches === 2, 'the ALTER');
    expect(sink.seen).toContain(familiesOf(sink, 'shop.prices')[0]);
    await server.run("insert into shop.items values (1, 'a', null)");
    await until(() => sink.seen.has('item:1'), 'the insert');
    sink.seen.clear();
    await server.run("set session binlog_format = 'STATEMENT'; update shop.items set sku = 'q'");
    await until(() => sink.complaints.length === 1, 'the statement');
    expect(sink.complaints[0]).toContain('binlog_format is not ROW');
    const { families } = sink.mapping;
    await until(() => [...families].every((family) => sink.seen.has(family)), 'all tables to be fenced');
  });

  test('columns that the row image leaves out are not taken for NULL', async () => {
    await server.run("insert into shop.items values (5, 'five', 'n')");
    const { sink } = follow();
    await streaming(sink);
    await server.run(
      "set session binlog_row_image = 'MINIMAL'; update shop.items set note = 'm' where id = 5",
    );
    await until(() => sink.batches === 1, 'the update');
    const [items, skus] = familiesOf(sink, 'shop.items');
    expect(sink.tags).toContain('item:5');
    expect(sink.tags).toContain(skus);
    expect(sink.tags).toContain(items);
  });

  test('after a restart it goes on where it was: what changed meanwhile comes, nothing is a gap', async () => {
    const first = follow();
    await streaming(first.sink);
    await server.run("insert into shop.items values (1, 'a', null)");
    await until(() => memory.values.size === 1, 'the position to be kept');
    await first.source.stop();
    sources.pop();
    await server.run("insert into shop.items values (2, 'b', null)");
    const second = follow();
    await until(() => second.sink.seen.has('item:2'), 'the change');
    expect(second.sink.seen.has('item:1')).toBe(false);
    expect(second.sink.gaps).toEqual([]);
  });

  test('once a change is applied, every query sees it', async () => {
    await server.run("insert into shop.prices values (1, 0, '{}')");
    const { sink } = follow();
    await streaming(sink);
    const reader = await server.connect();
    const writer = await server.connect();
    let checked = 0;
    const stale: string[] = [];
    const apply = sink.apply.bind(sink);
    sink.apply = async (batch) => {
      await apply(batch);
      const newest = Math.max(...[...batch.touched.tags].map((tag) => Number(tag.slice('price:'.length))));
      const [rows] = await reader.query('select price from shop.prices where id = 1');
      const [{ price }] = rows as [{ price: string }];
      checked++;
      if (Number(price) < newest) stale.push(`${price} after ${newest}`);
    };
    for (let price = 1; price <= 1500; price++)
      await writer.query('update shop.prices set price = ? where id = 1', [price]);
    await until(() => sink.seen.has('price:1500') && checked === 1500, 'all of them', 10_000);
    expect(stale).toEqual([]);
    reader.destroy();
    writer.destroy();
  });

  test('a position is kept only once its changes are applied', async () => {
    const { sink } = follow();
    await streaming(sink);
    let release = () => {};
    sink.hold = new Promise((resolve) => {
      release = resolve;
    });
    await server.run("insert into shop.items values (1, 'a', null)", 'insert into shop.others values (3)');
    const [row] = await server.run('select @@gtid_binlog_pos as at');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([...memory.values.values()]).not.toContain(row?.at);
    release();
    await until(() => sink.seen.has('item:1'), 'it to be applied');
    await until(() => memory.values.size === 1, 'the position to be kept');
  });

  test('one that is stopped while it tells of a gap ends in peace', async () => {
    memory.values.set('mysql:test:position', '0-1-999999');
    const { sink, source } = follow();
    const telling = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    sink.lost = () => {
      telling.resolve();
      return stopped.promise;
    };
    await telling.promise;
    const ended = source.stop();
    stopped.reject(new Error('the source was stopped'));
    await expect(ended).resolves.toBeUndefined();
  });

  test('a log that was purged beyond the position, or belongs to another history, is a gap', async () => {
    const first = follow();
    await streaming(first.sink);
    await server.run("insert into shop.items values (1, 'a', null)");
    await until(() => memory.values.size === 1, 'the position to be kept');
    await first.source.stop();
    await server.run("insert into shop.items values (2, 'b', null)", 'flush binary logs');
    const logs = await server.run('show binary logs');
    await server.run(
      "insert into shop.items values (3, 'c', null)",
      `purge binary logs to '${logs.at(-1)?.Log_name}'`,
    );
    const second = follow();
    await until(() => second.sink.gaps.length > 0 && second.sink.status === 'streaming', 'the gap', 10_000);
    expect(second.sink.gaps[0]).toContain('no longer has');
    await server.run("insert into shop.items values (4, 'd', null)");
    await until(() => second.sink.seen.has('item:4'), 'what comes after');
    await second.source.stop();
    memory.values.set([...memory.values.keys()][0]!, '0-1-999999');
    const third = follow();
    await until(() => third.sink.gaps.length > 0, 'the gap', 10_000);
  });

  test('a wrong password is told with what the user needs, and a server that is away with its address', async () => {
    const sink = new Recording(TABLES);
    const at = { host: '127.0.0.1', port: server.port, user: 'tidegate', password: 'wrong', tls: null };
    const source = createMysqlSource({ server: at, serverId: 1 }, partsFor(sink));
    source.start();
    sources.push(source);
    await until(
      () => sink.states.some(({ error }) => error?.includes('GRANT REPLICATION SLAVE')),
      'the advice',
    );
    expect(JSON.stringify(sink.states)).not.toContain('"wrong"');
  });

  test('one node reads under a serverId, and the next takes over within seconds', async () => {
    const first = follow();
    await streaming(first.sink);
    const second = follow();
    await until(
      () => second.sink.states.some(({ error }) => error?.includes('another reader has')),
      'the second to wait',
    );
    await server.run("insert into shop.items values (1, 'a', null)");
    await until(() => first.sink.seen.has('item:1'), 'the first to read');
    await until(() => memory.values.size === 1, 'the position to be kept');
    await first.source.stop();
    await server.run("insert into shop.items values (2, 'b', null)");
    await until(() => second.sink.seen.has('item:2'), 'the second to take over');
    const alone = follow({ shared: false });
    await until(() => alone.sink.closings.length > 0, 'a node alone to give up');
    expect(alone.sink.closings[0]).toContain('serverId 4711');
  });

  test('a server that says nothing for 5 s is given up, and what it held back is not lost', async () => {
    const line = await cuttingProxy(server.port);
    try {
      const { sink } = follow({ port: line.port });
      await streaming(sink);
      line.freeze();
      await server.run("insert into shop.items values (1, 'a', null)");
      await until(
        () => sink.states.some(({ state, error }) => state === 'connecting' && error !== null),
        'the silence to be noticed',
        12_000,
      );
      expect(sink.seen.size).toBe(0);
      line.thaw();
      line.cut();
      await until(() => sink.seen.has('item:1'), 'the change', 15_000);
      expect(sink.gaps).toEqual([]);
    } finally {
      await line.close();
    }
  }, 40_000);

  test('tables and columns that are not there: nothing is answered, and what may have been meant is told', async () => {
    await server.run('drop table shop.prices');
    const { sink } = follow();
    await until(() => sink.closings.length > 0, 'it to be closed');
    expect(sink.closings[0]).toContain('there is no table shop.prices');
    expect(sink.status).toBe('lost');
    await server.run('create table shop.prices (id int primary key, prize decimal(10,2))');
    await until(
      () => sink.closings.some((why) => why.includes('shop.prices has no column price; did you mean prize?')),
      'the column',
      8000,
    );
    await server.run('alter table shop.prices change prize price decimal(10,2)');
    await streaming(sink);
  }, 30_000);

  test('a slow consumer holds the server back instead of filling memory', async () => {
    const { sink } = follow();
    await streaming(sink);
    let release = () => {};
    sink.hold = new Promise((resolve) => {
      release = resolve;
    });
    const connection = await server.connect();
    for (let id = 1; id <= 300; id++)
      await connection.query('insert into shop.items values (?, ?, null)', [id, `s${id}`]);
    connection.destroy();
    expect(sink.batches).toBe(0);
    release();
    await until(() => sink.seen.has('item:300'), 'all of them');
    expect(sink.batches).toBe(300);
  });

  test('with SIGKILL of MariaDB and of readers under load, no change is lost', async () => {
    let { sink, source } = follow();
    await streaming(sink);
    const seen = new Set<string>();
    let connection = await server.connect();
    const insert = async (id: number) => {
      try {
        await connection.query('insert into shop.items values (?, ?, null)', [id, `k${id}`]);
      } catch (error) {
        connection.destroy();
        connection = await until(() => server.connect().catch(() => null), 'MariaDB to be back', 20_000);
        throw error;
      }
    };
    const writes = writing(insert, 0, 30_000);
    const { sent, many } = writes;
    let gaps = 0;
    for (let round = 0; round < 2; round++) {
      await many(300);
      for (const tag of await dies({ sink, source }, writes)) seen.add(tag);
      gaps += sink.gaps.length;
      sources.pop();
      ({ sink, source } = follow());
      await many(200);
      await server.kill();
      await server.start();
      await many(200);
      await server.shutdown();
      await server.start();
      await many(100);
    }
    await writes.stop();
    connection.destroy();
    await until(() => sink.seen.has(`item:${sent.at(-1)}`), 'the last', 20_000);
    for (const tag of sink.seen) seen.add(tag);
    gaps += sink.gaps.length;
    const missing = sent.filter((id) => !seen.has(`item:${id}`));
    console.log(
      `MariaDB: ${sent.length} changes, ${missing.length} lost, 2 SIGKILLs and 2 stops of MariaDB, 2 of readers`,
    );
    expect(missing).toEqual([]);
    expect(gaps).toBe(0);
  }, 120_000);
});
