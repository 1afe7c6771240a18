import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseLsn } from '../../src/changes/positions/lsn.ts';
import { until } from '../../src/testkit/index.ts';
import { Node } from './node.ts';
import { PostgresServer } from './postgres-server.ts';

let server: PostgresServer;
const nodes: Node[] = [];
let count = 0;

beforeAll(async () => {
  server = await PostgresServer.create();
}, 60_000);
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.reader.stop()));
});
afterAll(() => server?.close());

/** A database of its own with a table, followed by a node. */
async function shop(tables: string, changes: object, options = {}) {
  const database = `shop${++count}`;
  await server.query(`create database ${database}`);
  await server.query(tables, [], database);
  const node = new Node(options);
  nodes.push(node);
  const postgres = { url: server.url(database), slot: database, publication: 'tidegate' };
  const config = { shop: { postgres, tables: changes } };
  return { database, node, config, sql: (text: string) => server.query(text, [], database) };
}

/** Everything that is committed now is applied. */
async function applied(node: Node): Promise<void> {
  const at = parseLsn(await server.position())!;
  await until(() => (parseLsn(node.source().position ?? '0/0') ?? 0n) >= at, 'the position to be applied');
}

const ORDERS = 'create table orders (id int primary key, customer_id int, note text)';

describe('PostgreSQL', () => {
  test('insert, update and delete unseat the tags of the old and the new row', async () => {
    const { node, config, sql } = await shop(`${ORDERS}; alter table orders replica identity full`, {
      'public.orders': ['order:{row.id}', 'customer-orders:{row.customer_id}'],
    });
    await node.follow(config);
    let dead = [node.filled('order:1'), node.filled('customer-orders:7'), node.filled('order:2')];
    await sql('insert into orders values (1, 7)');
    await applied(node);
    expect(dead.map((is) => is())).toEqual([true, true, false]);
    dead = [
      node.filled('order:1'),
      node.filled('customer-orders:7'),
      node.filled('customer-orders:8'),
      node.filled('customer-orders:9'),
    ];
    await sql('update orders set customer_id = 8');
    await applied(node);
    expect(dead.map((is) => is())).toEqual([true, true, true, false]);
    dead = [node.filled('order:1'), node.filled('customer-orders:8')];
    await sql('delete from orders');
    await applied(node);
    expect(dead.map((is) => is())).toEqual([true, true]);
  });
});
