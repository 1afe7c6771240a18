import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cuttingProxy, until } from '../../src/testkit/index.ts';
import { changesOf, Node } from './node.ts';
import { PostgresServer } from './postgres-server.ts';

/** Rows of the failure table in docs/change-data-capture.md that need a server of their own. */
const FAMILY = '\0change shop order:*';
const TABLES = { 'public.orders': ['order:{row.id}'] };
const ORDERS = 'create table orders (id int primary key, note text)';

describe('what fails around PostgreSQL', () => {
  let server: PostgresServer;
  let node: Node;
  beforeAll(async () => {
    server = await PostgresServer.create({ max_slot_wal_keep_size: '1MB', max_wal_size: '32MB' });
  }, 60_000);
  afterEach(async () => {
    await node?.reader.stop();
    await server.query('drop publication if exists tidegate');
    await server.query('drop table if exists orders');
    await server.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active',
    );
  });
  afterAll(() => server?.close());

  async function follow(url = server.url()): Promise<Node> {
    await server.query(ORDERS);
    node = new Node();
    await node.follow({ shop: { postgres: { url }, tables: TABLES } });
    return node;
  }

  const unseats = async (id: number) => {
    const dead = node.filled(`order:${id}`, FAMILY);
    await server.query('insert into orders values ($1)', [id]);
    await until(dead, 'the change to unseat its entry', 15_000);
  };

  test('a connection that freezes is given up after 8 s, and nothing that came meanwhile is lost', async () => {
    const line = await cuttingProxy(server.port);
    try {
      await follow(server.url().replace(`:${server.port}/`, `:${line.port}/`));
      const dead = node.filled('order:1', FAMILY);
      line.freeze();
      const frozen = performance.now();
      await server.query('insert into orders values (1)');
      await until(() => node.source().state !== 'streaming', 'the silence to be noticed', 15_000);
      expect(performance.now() - frozen).toBeLessThan(10_000);
      expect(dead()).toBe(false);
      line.thaw();
      line.cut();
      await until(dead, 'the change to be applied', 20_000);
    } finally {
      await line.close();
    }
  }, 60_000);

  test('a slot that the server has invalidated is made anew, and what was filled before is unseated', async () => {
    await follow();
    await node.reader.stop();
    await server.query("insert into orders select 0 - id, repeat('x', 2000) from generate_series(1, 20) id");
    await until(
      async () => {
        await server.query('select pg_switch_wal()');
        await server.query("insert into orders select max(id) + 1, 'x' from orders");
        await server.query('checkpoint');
        const [slot] = await server.query('select wal_status from pg_replication_slots');
        return slot?.wal_status === 'lost';
      },
      'the slot to be invalidated',
      30_000,
    );
    const dead = node.filled('order:500', FAMILY);
    await node.reader.apply(changesOf({ shop: { postgres: { url: server.url() }, tables: TABLES } }));
    await until(dead, 'all to be unseated', 20_000);
    await node.streaming();
    expect(node.lines.join('')).toMatch(/replication slot had been invalidated/);
    await unseats(900);
  }, 90_000);

  test('a publication that is dropped is made anew, and what was filled before is unseated', async () => {
    await follow();
    const dead = node.filled('order:1', FAMILY);
    await server.query('drop publication tidegate');
    await until(dead, 'all to be unseated', 15_000);
    await node.streaming();
    await unseats(2);
  }, 30_000);

  test('a publication that may not be mended: nothing that the source feeds is answered, and the SQL is told', async () => {
    await follow();
    await node.reader.stop();
    await server.query('alter publication tidegate drop table orders');
    await server.query(
      "do $$ begin if not exists (select from pg_roles where rolname = 'reader') then create role reader login replication; end if; end $$",
    );
    const url = server.url('postgres', 'reader');
    await node.reader.apply(changesOf({ shop: { postgres: { url }, tables: TABLES } }));
    await until(() => node.source().state === 'lost', 'it to be lost', 15_000);
    expect(node.source().error).toContain('ALTER PUBLICATION "tidegate"');
    expect(node.closed.get('shop')).toBe(true);
    await server.query('alter publication tidegate add table orders');
    await node.streaming();
    await unseats(3);
  }, 45_000);

  test('a new slot waits for open transactions, says so, and streams once they have ended', async () => {
    const client = new pg.Client({ connectionString: server.url() });
    await client.connect();
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    await server.query(ORDERS);
    node = new Node();
    await node.reader.apply(changesOf({ shop: { postgres: { url: server.url() }, tables: TABLES } }));
    await until(
      () => node.source().error?.includes('waits until all transactions'),
      'the wait to be told',
      15_000,
    );
    await client.query('commit');
    await client.end();
    await node.streaming();
    await unseats(4);
  }, 45_000);

  test('a backup that is restored is another history: all that was filled before is unseated', async () => {
    await follow();
    const dead = node.filled('order:1', FAMILY);
    await server.stop('fast');
    writeFileSync(join(server.data, 'recovery.signal'), '');
    await server.start({ restore_command: 'false', recovery_target_timeline: 'latest' });
    await until(
      async () => (await server.query('select pg_is_in_recovery() as is'))[0]?.is === false,
      'the end of recovery',
      15_000,
    );
    await until(dead, 'all to be unseated', 20_000);
    await node.streaming();
    expect(node.lines.join('')).toContain('the database was restored, or a standby was promoted');
    await unseats(5);
  }, 60_000);

  test('a password that is refused is told, and tried again', async () => {
    await server.query(ORDERS);
    await server.query("alter role postgres password 'right'");
    const hba = (method: string) =>
      writeFileSync(join(server.data, 'pg_hba.conf'), `host all all 127.0.0.1/32 ${method}\n`);
    hba('scram-sha-256');
    await server.query('select pg_reload_conf()');
    const client = new pg.Client({ connectionString: server.url().replace(':secret@', ':right@') });
    await client.connect();
    try {
      node = new Node();
      await node.reader.apply(changesOf({ shop: { postgres: { url: server.url() }, tables: TABLES } }));
      await until(
        () => node.source().error === 'the database refuses the password',
        'the refusal to be told',
        15_000,
      );
      expect(node.source().state).toBe('connecting');
      await client.query("alter role postgres password 'secret'");
      await node.streaming();
    } finally {
      hba('trust');
      await client.query('select pg_reload_conf()');
      await client.end();
    }
    await unseats(6);
  }, 45_000);
});
