import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../src/changes/index.ts';
import { startGateway } from '../../src/index.ts';
import { httpOrigin, until } from '../../src/testkit/index.ts';
import { PostgresServer } from './postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.create();
  await server.query('create table orders (id int primary key, customer int)');
  await server.query('insert into orders select id, 7 from generate_series(1, 5) id');
}, 60_000);
afterAll(() => server?.close());

async function shop() {
  const origin = await httpOrigin((_request, response) => void response.end('order'));
  const events: ChangeEvent[] = [];
  const gateway = await startGateway(
    {
      listen: '127.0.0.1:0',
      admin: false,
      drain: { timeout: '1ms' },
      services: { orders: { url: origin.url } },
      changes: {
        shop: {
          postgres: { url: server.url() },
          tables: { 'public.orders': ['order:{row.id}', 'customer:{row.customer}'] },
        },
      },
      routes: {
        order: {
          match: '/orders/{id:int}',
          to: 'orders',
          cache: { ttl: '1h', tags: ['order:{params.id}', 'customer:7'] },
        },
      },
    },
    { onChange: (event) => void events.push(event) },
  );
  const get = async (id: number) =>
    (await fetch(`http://127.0.0.1:${gateway.listeners[0]!.port}/orders/${id}`)).headers.get(
      'cache-status',
    ) ?? '';
  await until(async () => (await get(1)).includes('hit'), 'an order to be kept', 15_000);
  const close = async () => {
    await gateway.close();
    await origin.close();
    await server.query("select pg_drop_replication_slot('tidegate')").catch(() => {});
  };
  return { events, get, [Symbol.asyncDispose]: close };
}

const changesOf = (events: readonly ChangeEvent[]) =>
  events.flatMap(({ type, data }) => (type === 'change' ? [data] : []));

describe('what people are shown of change sources', () => {
  test('a change: its table, row and tags, how many entries it has unseated, and when it was committed', async () => {
    await using node = await shop();
    for (const id of [1, 2, 3]) await until(async () => (await node.get(id)).includes('hit'), 'a hit');
    const began = Date.now();
    await server.query('insert into orders values (77, 8)');
    await server.query('update orders set customer = 9 where id = 2');
    await until(() => changesOf(node.events).length >= 2, 'both changes');
    const [inserted, updated] = changesOf(node.events);
    expect(inserted).toMatchObject({
      source: 'shop',
      table: 'public.orders',
      op: 'insert',
      key: '77',
      tags: ['order:77', 'customer:8'],
      more: 0,
      unseated: 0,
    });
    expect(inserted!.commitMs).toBeGreaterThan(began - 1000);
    expect(inserted!.afterMs).toBeLessThanOrEqual(Date.now() - inserted!.commitMs! + 1);
    expect(inserted!.afterMs).toBeGreaterThanOrEqual(0);
    // Of its old row only the key is known: all that names a customer is unseated with it.
    expect(updated).toMatchObject({ op: 'update', key: '2', tags: ['order:2', 'customer:*', 'customer:9'] });
    expect(updated!.unseated).toBeGreaterThanOrEqual(3);
    await until(async () => (await node.get(2)).includes('hit'), 'it to be kept again');
    await server.query('delete from orders where id = 77');
    await until(() => changesOf(node.events).length >= 3, 'the third');
    expect(changesOf(node.events)[2]).toMatchObject({ op: 'delete', key: '77' });
    await server.query('insert into orders values (77, 8)');
  });

  test('more than fifty in one second are summed', async () => {
    await using node = await shop();
    const count = () => {
      const summed = node.events.flatMap(({ type, data }) => (type === 'changes' ? [data.count] : []));
      return changesOf(node.events).length + summed.reduce((sum, one) => sum + one, 0);
    };
    await server.query('insert into orders select id, 7 from generate_series(1000, 1299) id');
    await until(() => count() === 300, 'all to be told of', 5000);
    expect(changesOf(node.events).length).toBeLessThanOrEqual(50);
    expect(node.events.find(({ type }) => type === 'changes')?.data).toMatchObject({ source: 'shop' });
  });

  test('each change of state of a source', async () => {
    await using node = await shop();
    const states = () =>
      node.events.flatMap(({ type, data }) => (type === 'source' ? [`${data.name} ${data.state}`] : []));
    expect(states()).toContain('shop streaming');
    await server.query('select pg_terminate_backend(pid) from pg_stat_replication');
    await until(() => states().at(-1) === 'shop streaming' && states().length > 2, 'it to come back', 15_000);
    expect(states()).toContain('shop connecting');
  });
});
