import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inspectSource } from '../../src/changes/index.ts';
import { parseLsn } from '../../src/changes/positions/index.ts';
import { PostgresSource } from '../../src/changes/postgres/source.ts';
import { until } from '../../src/testkit/index.ts';
import { changesOf, Node } from './node.ts';
import { PostgresServer } from './postgres-server.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';

let server: PostgresServer;
const nodes: Node[] = [];
let count = 0;

beforeAll(async () => {
  server = await PostgresServer.create();
}, 60_000);
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.reader.stop()));
  await server.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active');
});
afterAll(() => server?.close());

/** A database of its own with tables, and a node that may follow it. */
async function shop(tables: string, changes: object, more: object = {}) {
  const database = `shop${++count}`;
  await server.query(`create database ${database}`);
  if (tables !== '') await server.query(tables, [], database);
  const postgres = { url: server.url(database), slot: database };
  const config = { shop: { postgres, tables: changes, ...more } };
  return { database, node: another(), config, sql: (text: string) => server.query(text, [], database) };
}

function another(options = {}): Node {
  const node = new Node(options);
  nodes.push(node);
  return node;
}

/** Everything that is committed now is applied. */
async function applied(node: Node, ms?: number): Promise<void> {
  const at = parseLsn(await server.position())!;
  await until(
    () => (parseLsn(node.source().position ?? '0/0') ?? 0n) >= at,
    'the position to be applied',
    ms,
  );
}

/** Which of these tags' entries, filled now, are dead once `change` is applied? */
async function unseated(node: Node, change: () => Promise<unknown>, entries: Record<string, string[]>) {
  const questions = Object.entries(entries).map(([name, tags]) => ({ name, dead: node.filled(...tags) }));
  await change();
  await applied(node);
  return questions.filter(({ dead }) => dead()).map(({ name }) => name);
}

const family = (literal: string) => `\0change shop ${literal}`;
const ORDERS = 'create table orders (id int primary key, customer_id int, note text);';
const FULL = 'alter table orders replica identity full;';
const TAGS = { 'public.orders': ['order:{row.id}', 'customer-orders:{row.customer_id}'] };
const ENTRIES = {
  one: ['order:1', family('order:*')],
  two: ['order:2', family('order:*')],
  seven: ['customer-orders:7', family('customer-orders:*')],
  eight: ['customer-orders:8', family('customer-orders:*')],
  nine: ['customer-orders:9', family('customer-orders:*')],
  none: ['other'],
};

describe('changes of PostgreSQL', () => {
  test('insert, update and delete unseat the tags of the old and the new row, and no others', async () => {
    const { node, config, sql } = await shop(ORDERS + FULL, TAGS);
    await node.follow(config);
    expect(await unseated(node, () => sql('insert into orders values (1, 7)'), ENTRIES)).toEqual([
      'one',
      'seven',
    ]);
    expect(await unseated(node, () => sql('update orders set customer_id = 8'), ENTRIES)).toEqual([
      'one',
      'seven',
      'eight',
    ]);
    expect(await unseated(node, () => sql('delete from orders'), ENTRIES)).toEqual(['one', 'eight']);
    expect(node.source()).toMatchObject({
      kind: 'postgres',
      state: 'streaming',
      events: 3,
      skipped: 0,
      error: null,
    });
  });

  test('an old value that the database does not send unseats all that the template could have meant', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    await sql("insert into orders values (1, 7, 'a')");
    expect(await unseated(node, () => sql('update orders set customer_id = 8'), ENTRIES)).toEqual([
      'one',
      'seven',
      'eight',
      'nine',
    ]);
    expect(await unseated(node, () => sql('update orders set id = 2'), ENTRIES)).toEqual([
      'one',
      'two',
      'seven',
      'eight',
      'nine',
    ]);
    expect(await unseated(node, () => sql('delete from orders'), ENTRIES)).toEqual([
      'two',
      'seven',
      'eight',
      'nine',
    ]);
    expect(node.source().skipped).toBe(0);
  });

  test('TRUNCATE unseats all that the table could have tagged, with CASCADE of the others too', async () => {
    const { node, config, sql } = await shop(
      `${ORDERS} create table lines (id int primary key, order_id int references orders);`,
      { ...TAGS, 'public.lines': ['line:{row.id}'] },
    );
    await node.follow(config);
    const entries = { ...ENTRIES, line: ['line:3', family('line:*')] };
    expect(await unseated(node, () => sql('truncate orders cascade'), entries)).toEqual([
      'one',
      'two',
      'seven',
      'eight',
      'nine',
      'line',
    ]);
  });

  test('a large value that was not touched is taken from the old row, else stands for all', async () => {
    const { node, config, sql } = await shop(
      `${ORDERS} alter table orders alter note set storage external;`,
      { 'public.orders': ['note:{row.note.size()}'] },
    );
    await node.follow(config);
    await sql("insert into orders values (1, 7, repeat('x', 9000))");
    const entries = { that: ['note:9000', family('note:*')], other: ['note:1', family('note:*')] };
    expect(await unseated(node, () => sql('update orders set customer_id = 8'), entries)).toEqual([
      'that',
      'other',
    ]);
    await sql(FULL);
    await applied(node);
    await until(() => node.lines.some((line) => line.includes('DDL')), 'the DDL to be noticed');
    expect(await unseated(node, () => sql('update orders set customer_id = 9'), entries)).toEqual(['that']);
  });

  test('values stand in tags in their canonical form', async () => {
    const { node, config, sql } = await shop(
      `create domain money_amount as numeric(12, 4);
       create table things (id bigint primary key, price numeric(10,2), amount money_amount, ref uuid, ok boolean, doc jsonb, list int[], names text[], f float8);`,
      {
        'public.things': [
          'id:{row.id}',
          'price:{row.price}',
          'amount:{row.amount}',
          'ref:{row.ref}',
          'ok:{row.ok}',
          'doc:{row.doc.customer.id}',
          'list:{row.list}',
          'name:{row.names}',
          'f:{row.f}',
        ],
      },
    );
    await node.follow(config);
    await sql(
      `insert into things values (9007199254740993, 12.50, 3.0000, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', true, '{"customer":{"id":42}}', '{1,2}', '{"a,b",c}', 0.1)`,
    );
    await applied(node);
    expect(node.invalidations.at(-1)!.tags).toEqual([
      'id:9007199254740993',
      'price:12.5',
      'price:12.50',
      'amount:3',
      'amount:3.0000',
      'ref:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'ok:true',
      'doc:42',
      'list:1',
      'list:2',
      'name:a,b',
      'name:c',
      'f:0.1',
    ]);
  });

  test('decimals meet every spelling that services have for them; arrays of dates are lists', async () => {
    const { node, config, sql } = await shop(
      'create table rates (id int primary key, small numeric, long numeric, days date[]);',
      { 'public.rates': ['small:{row.small}', 'long:{row.long}', 'day:{row.days}'] },
    );
    await node.follow(config);
    await sql("insert into rates values (1, 0.0000001, 12345678901234567890.50, '{2026-01-02,2026-01-03}')");
    await applied(node);
    expect(node.invalidations.at(-1)!.tags).toEqual([
      'small:0.0000001',
      'small:1e-7',
      'long:12345678901234567890.5',
      'long:12345678901234567890.50',
      'long:12345678901234567000',
      'day:2026-01-02',
      'day:2026-01-03',
    ]);
  });

  test('the spaces at the end of a CHAR(n) mean nothing, in a tag as in `when`', async () => {
    const { node, config, sql } = await shop('create table kinds (id int primary key, kind char(5));', {
      'public.kinds': { tags: 'kind:{row.kind}', when: 'change.after.kind == "ab"' },
    });
    await node.follow(config);
    await sql("insert into kinds values (1, 'ab'), (2, 'cd')");
    await applied(node);
    expect(node.invalidations.at(-1)!.tags).toEqual(['kind:ab', 'kind:ab   ']);
  });

  test('`when` and `columns` let pass what does not matter', async () => {
    const { node, config, sql } = await shop(ORDERS + FULL, {
      'public.orders': [
        { tags: 'moved:{row.id}', columns: ['customer_id'] },
        { tags: 'gone:{row.id}', when: 'change.op == "delete"' },
        { tags: 'noted:{row.id}', when: 'change.before == null || change.before.note != change.after.note' },
      ],
    });
    await node.follow(config);
    const entries = { moved: ['moved:1'], gone: ['gone:1'], noted: ['noted:1'] };
    expect(await unseated(node, () => sql("insert into orders values (1, 7, 'a')"), entries)).toEqual([
      'moved',
      'noted',
    ]);
    expect(await unseated(node, () => sql("update orders set note = 'b'"), entries)).toEqual(['noted']);
    expect(await unseated(node, () => sql('update orders set customer_id = 8'), entries)).toEqual(['moved']);
    // On a delete there is no new row to compare with: what fails counts as true.
    expect(await unseated(node, () => sql('delete from orders'), entries)).toEqual([
      'moved',
      'gone',
      'noted',
    ]);
  });

  test('null makes no tag; a tag that can not be made unseats all it could have been, is counted and logged', async () => {
    const { node, config, sql } = await shop(ORDERS, {
      'public.orders': ['customer:{row.customer_id}', 'half:{row.customer_id / row.id}'],
    });
    await node.follow(config);
    const entries = { customer: ['customer:7', family('customer:*')], half: ['half:1', family('half:*')] };
    expect(await unseated(node, () => sql('insert into orders values (0, null)'), entries)).toEqual(['half']);
    expect(node.source()).toMatchObject({ events: 1, skipped: 1 });
    expect(node.lines.some((line) => line.includes('half:{row.customer_id / row.id} can not be made'))).toBe(
      true,
    );
  });

  test('a partitioned table is followed under its own name', async () => {
    const { node, config, sql } = await shop(
      `create table events (id int, at date, primary key (id, at)) partition by range (at);
       create table events_1 partition of events for values from ('2026-01-01') to ('2027-01-01');`,
      { 'public.events': ['event:{row.id}'] },
    );
    await node.follow(config);
    expect(
      await unseated(node, () => sql("insert into events values (5, '2026-05-05')"), { five: ['event:5'] }),
    ).toEqual(['five']);
  });

  test('a partition that is attached, emptied or detached unseats all that its table could have tagged', async () => {
    const { node, config, sql } = await shop(
      `create table events (id int, at date, primary key (id, at)) partition by range (at);
       create table events_1 partition of events for values from ('2026-01-01') to ('2027-01-01');
       create table old (id int not null, at date not null);
       insert into old values (5, '2025-05-05'); insert into events values (6, '2026-06-06');`,
      { 'public.events': ['event:{row.id}'] },
    );
    await node.follow(config);
    for (const ddl of [
      `alter table events attach partition old for values from ('2025-01-01') to ('2026-01-01')`,
      'truncate events_1',
      'alter table events detach partition old',
    ]) {
      const dead = node.filled('event:5', family('event:*'));
      await sql(ddl);
      await until(dead, ddl);
    }
    expect(node.source().state).toBe('streaming');
  });

  test('a table that inherits from one that is followed is followed under its own name, or nothing is', async () => {
    const { node, config, sql } = await shop(`${ORDERS} ${FULL}`, TAGS);
    await node.follow(config);
    await sql('create table orders_old (primary key (id)) inherits (orders)');
    await until(() => node.closed.get('shop') === true, 'the source to be closed');
    await until(() => /orders_old inherits from public.orders/.test(node.source().error ?? ''), 'why');
    const named = { ...TAGS, 'public.orders_old': ['order:{row.id}'] };
    await node.follow({ shop: { ...config.shop, tables: named } });
    expect(await unseated(node, () => sql('insert into orders_old values (2, 9)'), ENTRIES)).toContain('two');
  });

  test('what DDL changed while nothing was connected unseats what was filled before', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const dead = node.filled('order:1', family('order:*'));
    const end = `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()`;
    await sql(`alter table orders alter column note type varchar(9) using 'x'; ${end}`);
    await until(dead, 'it to be unseated');
    await until(() => node.source().state === 'streaming', 'it to stream again', 10_000);
    expect(node.lines.some((line) => line.includes('public.orders was changed by DDL'))).toBe(true);
  });

  test('columns that are added and dropped while it streams are followed', async () => {
    const { node, config, sql } = await shop(ORDERS + FULL, TAGS);
    await node.follow(config);
    await sql('alter table orders drop column note; alter table orders add column extra text');
    expect(await unseated(node, () => sql('insert into orders values (1, 7)'), ENTRIES)).toEqual(
      expect.arrayContaining(['one', 'seven']),
    );
    expect(node.source().skipped).toBe(0);
  });

  test('a table that is swapped for another unseats all that it could have tagged', async () => {
    const { node, config, sql } = await shop(
      `${ORDERS} create table fresh (like orders including all);`,
      TAGS,
    );
    await node.follow(config);
    const dead = node.filled('order:1', family('order:*'));
    await sql('alter table orders rename to stale; alter table fresh rename to orders');
    await until(dead, 'the swap to be noticed');
    await until(async () => {
      const published = await sql(`select tablename from pg_publication_tables where pubname = 'tidegate'`);
      return (published as { tablename: string }[]).some(({ tablename }) => tablename === 'orders');
    }, 'the other one to be published');
    await until(() => node.source().state === 'streaming', 'it to stream', 10_000);
    expect(await unseated(node, () => sql('insert into orders values (1, 7)'), ENTRIES)).toContain('one');
  });

  test('a transaction of many rows is applied as one, in bounded memory', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const before = node.invalidations.length;
    const dead = [node.filled('order:1', family('order:*')), node.filled('order:59999', family('order:*'))];
    await sql('insert into orders select n, n from generate_series(1, 60000) n');
    await applied(node, 20_000);
    expect(dead.map((is) => is())).toEqual([true, true]);
    expect(node.source().events).toBe(60_000);
    expect(node.invalidations.length - before).toBe(2);
    for (const { tags } of node.invalidations) expect(tags.length).toBeLessThan(10_010);
  });

  test('an aborted transaction touches nothing', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    expect(
      await unseated(node, () => sql('begin; insert into orders values (1, 7); rollback'), ENTRIES),
    ).toEqual([]);
  });

  test('a change is not applied before the database shows it', async () => {
    const { node, config, sql, database } = await shop(ORDERS, TAGS);
    await node.follow(config);
    await sql("alter system set synchronous_standby_names = 'nobody'");
    await sql('select pg_reload_conf()');
    const writer = new pg.Client({ connectionString: server.url(database) });
    await writer.connect();
    try {
      await until(
        async () => (await sql('show synchronous_standby_names'))[0]!.synchronous_standby_names === 'nobody',
        'the setting',
      );
      const arrived = node.filled('order:1');
      const written = writer.query('insert into orders values (1, 7)');
      // It waits for a standby that never answers: in the log, and seen by nobody.
      await until(arrived, 'the fence at its arrival');
      expect((await sql('select count(*)::int as n from orders'))[0]!.n).toBe(0);
      const between = node.filled('order:1');
      expect(node.source().events).toBe(0);
      expect(between()).toBe(false);
      await sql('alter system reset synchronous_standby_names');
      await sql('select pg_reload_conf()');
      await written;
      await until(between, 'the fence once it can be seen');
      await until(() => node.source().events === 1, 'it to be applied');
    } finally {
      await sql('alter system reset synchronous_standby_names');
      await sql('select pg_reload_conf()');
      await writer.end();
    }
  });

  test('what happens in tables that are not followed moves the position on, so that no log is held', async () => {
    const { node, config, sql } = await shop(`${ORDERS} create table noise (n int);`, TAGS);
    await node.follow(config);
    await sql('insert into noise select generate_series(1, 1000)');
    await applied(node);
    expect(node.source().events).toBe(0);
    await until(async () => {
      const [row] = await sql(
        `select confirmed_flush_lsn >= '${node.source().position}' as ok from pg_replication_slots where slot_name = '${config.shop.postgres.slot}'`,
      );
      return row!.ok === true;
    }, 'the position to be acknowledged');
  });

  test('nothing is acknowledged before its fences are durable', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const confirmed = async () =>
      String(
        (
          await sql(
            `select confirmed_flush_lsn as at from pg_replication_slots where slot_name = '${config.shop.postgres.slot}'`,
          )
        )[0]!.at,
      );
    const gate = Promise.withResolvers<void>();
    node.slow = () => gate.promise;
    await sql('insert into orders values (1, 7)');
    const end = parseLsn(await server.position())!;
    const statuses = [];
    for (let i = 0; i < 20; i++) {
      statuses.push(parseLsn(await confirmed())! < end);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(statuses.every((below) => below)).toBe(true);
    expect(parseLsn(node.source().position ?? '0/0')! < end).toBe(true);
    gate.resolve();
    await applied(node);
  });

  test('`settle` keeps the tags from being stored until origins have caught up, and fences once more', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS, { settle: '300ms' });
    await node.follow(config);
    await sql('insert into orders values (1, 7)');
    await applied(node);
    expect(node.settling().flatMap(({ tags }) => tags)).toContain('order:1');
    const late = node.filled('order:1');
    expect(late()).toBe(false);
    await until(late, 'the fence at its end');
    await until(() => node.settling().length === 0, 'the end to be told');
  });
});

describe('when PostgreSQL is away or not as it should be', () => {
  test('a restart loses nothing: what was committed meanwhile is applied after it', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    for (const [turn, mode] of (['fast', 'immediate'] as const).entries()) {
      const dead = node.filled(`order:${turn}`);
      const gate = Promise.withResolvers<void>();
      node.slow = () => gate.promise;
      await sql(`insert into orders values (${turn}, 7)`);
      await server.stop(mode);
      await server.start();
      gate.resolve();
      await node.streaming();
      await until(dead, 'the change from before the restart');
    }
  }, 60_000);

  test('a connection that is ended comes back by itself', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    await sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tidegate%'",
    );
    await until(() => node.lines.some((line) => line.includes('not connected')), 'the loss to be told');
    expect(await unseated(node, () => sql('insert into orders values (1, 7)'), ENTRIES)).toEqual([
      'one',
      'seven',
    ]);
    expect(node.closed.get('shop')).toBe(false);
  });

  test('a dropped slot is made anew, and what was filled before is fenced', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const { slot } = config.shop.postgres;
    const dead = node.filled('order:5', family('order:*'));
    await until(async () => {
      await sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tidegate%'",
      );
      return sql(`select pg_drop_replication_slot('${slot}')`).then(
        () => true,
        () => false,
      );
    }, 'the slot to be dropped');
    await until(() => dead(), 'the gap to be fenced', 15_000);
    await node.streaming();
    expect(node.lines.some((line) => line.includes('the replication slot is new'))).toBe(true);
  }, 30_000);

  test('a table taken out of the publication is noticed, fenced and put back', async () => {
    const { node, config, sql } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const dead = node.filled('order:5', family('order:*'));
    await sql('alter publication tidegate drop table orders');
    await until(dead, 'the gap to be fenced', 10_000);
    await node.streaming();
    expect(await unseated(node, () => sql('insert into orders values (1, 7)'), ENTRIES)).toEqual([
      'one',
      'seven',
    ]);
  }, 30_000);

  test('two nodes without Redis on one slot: the second answers nothing that the source feeds, and says so', async () => {
    const { node, config } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const second = another();
    await second.reader.apply(changesOf(config));
    await until(() => second.source().error?.includes('another reader has the slot'), 'it to be told');
    expect(second.closed.get('shop')).toBe(true);
    expect(
      second.lines.some((line) => line.includes('without Redis each node needs a slot of its own')),
    ).toBe(true);
    expect(node.closed.get('shop')).toBe(false);
  });

  test('nodes that share their invalidations: one reads, another takes over within seconds and misses nothing', async () => {
    const memory = new Map<string, string>();
    const { config, sql } = await shop(ORDERS, TAGS);
    const [one, two] = [another({ shared: true, memory }), another({ shared: true, memory })];
    await one.follow(config);
    await two.reader.apply(changesOf(config));
    await until(() => two.source().error?.includes('takes over'), 'the second to wait');
    await one.reader.stop();
    const dead = two.filled('order:1');
    const from = performance.now();
    await sql('insert into orders values (1, 7)');
    await until(dead, 'the second to read');
    expect(performance.now() - from).toBeLessThan(3000);
    expect(two.lines.some((line) => line.includes('gap'))).toBe(false);
  });

  test.each([
    ['a slot that was dropped', (database: string) => `select pg_drop_replication_slot('${database}')`],
    ['DDL', () => 'alter table orders add column more int'],
  ])('a gap that a reader found and did not fence is found by the next: %s', async (_, change) => {
    const { config, database, sql } = await shop(ORDERS, TAGS);
    const { postgres } = config.shop;
    const memory = new RecordingMemory();
    const read = (sink: Recording) => {
      const parts = partsFor(sink, { memory });
      const source = new PostgresSource({ kind: 'postgres', publication: 'p', ...postgres }, parts);
      source.start();
      return source;
    };
    const first = new Recording(TAGS);
    const reading = read(first);
    await until(() => first.status === 'streaming', 'the first');
    await reading.stop();
    await until(
      async () =>
        sql(change(database)).then(
          () => true,
          () => false,
        ),
      'the slot to be free',
    );
    const dying = new Recording(TAGS);
    let found = false;
    dying.lost = () => {
      found = true;
      return new Promise(() => {});
    };
    const died = read(dying);
    await until(() => found, 'the gap to be found');
    await died.stop();
    const second = new Recording(TAGS);
    const last = read(second);
    await until(() => second.status === 'streaming', 'the next');
    await last.stop();
    expect(second.gaps).toHaveLength(1);
  });

  test('another mapping fences what was filled under the one before', async () => {
    const { node, config } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const dead = [node.filled('order:5', family('order:*')), node.filled('second:5', family('second:*'))];
    await node.follow({ shop: { ...config.shop, tables: { 'public.orders': ['second:{row.id}'] } } });
    expect(dead.map((is) => is())).toEqual([true, true]);
  });

  test('a source that a reload leaves as it is goes on', async () => {
    const { node, config } = await shop(ORDERS, TAGS);
    await node.follow(config);
    const lines = node.lines.length;
    await node.follow(config);
    expect(node.lines.length).toBe(lines);
  });
});

describe('what is wrong is told with what mends it', () => {
  const told = async (node: Node, config: object, part: string) => {
    await node.reader.apply(changesOf(config));
    await until(() => node.source().error !== null, 'an error');
    await until(() => node.source().error?.includes(part), `"${part}", not ${node.source().error}`);
    expect(node.closed.get('shop')).toBe(true);
    return node.source();
  };

  test.each([
    [{ 'public.order': ['a:{row.id}'] }, 'there is no table public.order; did you mean public.orders?'],
    [{ 'shop.orders': ['a:{row.id}'] }, 'there is no table shop.orders; did you mean public.orders?'],
    [
      { 'public.orders': ['a:{row.costumer_id}'] },
      'public.orders has no column costumer_id; did you mean customer_id?',
    ],
    [
      { 'public.totals': ['a:{row.id}'] },
      'public.totals is no table: changes of views are not told; name the tables it is made of',
    ],
    [
      { 'public.made': ['a:{row.twice}'] },
      'public.made.twice is a generated column, whose values are not told of; use the columns it is made from',
    ],
  ])('%j', async (tables, message) => {
    const { node, config } = await shop(
      `${ORDERS} create view totals as select 1 as id; create table made (id int primary key, twice int generated always as (id * 2) stored);`,
      tables,
    );
    expect(await told(node, config, message)).toMatchObject({ state: 'lost', error: message });
  });

  test('a table without a key, whose UPDATEs would fail once it is published, is left alone', async () => {
    const { node, config, sql } = await shop('create table logs (id int); insert into logs values (1);', {
      'public.logs': ['log:{row.id}'],
    });
    await told(node, config, 'run ALTER TABLE "public"."logs" REPLICA IDENTITY FULL;');
    await sql('update logs set id = 2');
  });

  test('`check --connect` tells what can be followed, and where a whole old row is missed', async () => {
    const { config } = await shop(ORDERS, TAGS);
    const inspected = await inspectSource(changesOf(config).shop!);
    expect(inspected).toEqual({
      error: null,
      advice: [
        'the old customer_id of public.orders is not told, so each UPDATE and DELETE unseats every entry with a tag like customer-orders:{row.customer_id}: run ALTER TABLE "public"."orders" REPLICA IDENTITY FULL;',
      ],
    });
    config.shop.tables = { 'public.oders': ['a'] };
    expect((await inspectSource(changesOf(config).shop!)).error).toBe(
      'there is no table public.oders; did you mean public.orders?',
    );
    expect(
      await server.query('select from pg_replication_slots where slot_name = $1', [
        config.shop.postgres.slot,
      ]),
    ).toEqual([]);
  });

  test('a user that may not make a publication is told the SQL', async () => {
    const { node, config, database } = await shop(ORDERS, TAGS);
    await server.query(
      `do $$ begin if not exists (select from pg_roles where rolname = 'weak') then create role weak login replication; end if; end $$`,
    );
    config.shop.postgres.url = server.url(database, 'weak');
    await told(
      node,
      config,
      'run CREATE PUBLICATION "tidegate" FOR TABLE "public"."orders" WITH (publish_via_partition_root = true);',
    );
  });

  test('a user that may not make a slot is told the SQL', async () => {
    const { node, config, database, sql } = await shop(ORDERS, TAGS);
    await sql('create publication tidegate for table orders with (publish_via_partition_root = true)');
    await server.query(
      `do $$ begin if not exists (select from pg_roles where rolname = 'plain') then create role plain login; end if; end $$`,
    );
    config.shop.postgres.url = server.url(database, 'plain');
    await told(node, config, 'run ALTER ROLE "plain" REPLICATION;');
  });

  test.each([
    [
      "create publication tidegate for table orders with (publish = 'insert')",
      'leaves out update and delete and truncate: run ALTER PUBLICATION',
    ],
    ['create publication tidegate for table orders where (id > 5)', 'has a row filter on public.orders'],
    [
      'create publication tidegate for table orders (id)',
      'leaves out the column customer_id of public.orders',
    ],
  ])('%s', async (sql, part) => {
    if (
      sql.includes('(id') &&
      Number((await server.query('show server_version_num'))[0]!.server_version_num) < 150_000
    )
      return;
    const { node, config } = await shop(`${ORDERS} ${sql}`, TAGS);
    await told(node, config, part);
  });

  test('a slot of another plugin', async () => {
    const { node, config, sql, database } = await shop(ORDERS, TAGS);
    await sql(`select pg_create_physical_replication_slot('${database}')`);
    await told(node, config, `the slot ${database} is a physical one: drop it, or name another slot`);
  });

  test('a server that is not there, a database that is not there', async () => {
    const { node, config } = await shop('', TAGS);
    config.shop.postgres.url = 'postgres://u:hunter2@127.0.0.1:1/shop';
    await node.reader.apply(changesOf(config));
    await until(() => node.source().error?.includes('refuses connections: is it running'), 'the refusal');
    config.shop.postgres.url = server.url('nowhere');
    await node.reader.apply(changesOf(config));
    await until(() => node.source().error === 'there is no such database', 'the missing database');
    expect(node.lines.join('')).not.toContain('hunter2');
  });
});
