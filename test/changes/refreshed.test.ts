/** `refresh` behind a database whose changes are fenced twice: when they come, and once everyone sees them. */
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpOrigin, startTestGateway, until } from '../../src/testkit/index.ts';
import { PostgresServer } from './postgres-server.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.create();
  await server.query(
    'create table orders (id int primary key, status int); insert into orders values (1, 0)',
  );
}, 60_000);
afterAll(() => server?.close());

function get(port: number): Promise<{ status: number; cache: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-request-id': 'reader' };
    const request = httpRequest({ port, path: '/orders/1', headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: Number(body), cache: String(response.headers['cache-status']) }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

test.each([
  ['', {}],
  [', also where origins lag behind it', { settle: '200ms' }],
])(
  'a row that changes makes one read in the background%s',
  async (_what, more) => {
    let byItself = 0;
    let byReaders = 0;
    await using origin = await httpOrigin(async ({ headers }, response) => {
      if (headers['x-request-id'] === 'reader') byReaders++;
      else byItself++;
      const [row] = await server.query('select status from orders where id = 1');
      response.end(String(row?.status));
    });
    await using gateway = await startTestGateway({
      services: { orders: { url: origin.url } },
      changes: {
        shop: {
          postgres: { url: server.url(), slot: 'refreshed' },
          tables: { 'public.orders': ['order:{row.id}'] },
          ...more,
        },
      },
      routes: {
        order: {
          match: '/orders/{id:int}',
          to: 'orders',
          cache: { ttl: '1h', tags: ['order:{params.id}'], refresh: true },
        },
      },
    });
    const isHit = async () => (await get(gateway.port)).cache.includes('; hit');
    await until(isHit, 'the source to stream', 15_000);
    const [{ status }] = (await server.query('select status from orders where id = 1')) as [
      { status: number },
    ];
    const before = byReaders;
    for (let n = 1; n <= 5; n++) {
      for (let i = 0; i < 3; i++) await get(gateway.port);
      await server.query('update orders set status = $1', [status + n]);
      await until(() => byItself === n, 'a read in the background');
      await until(isHit, 'a hit');
      expect((await get(gateway.port)).status).toBe(Number(status) + n);
    }
    expect([byItself, byReaders]).toEqual([5, before]);
  },
  60_000,
);
