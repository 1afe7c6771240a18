import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpOrigin, processLab, tempFolder, until } from '../../src/testkit/index.ts';
import { freePort } from '../../src/testkit/process-lab.ts';
import { PostgresServer } from './postgres-server.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.create();
  await server.query(
    'create table orders (id int primary key, status int); insert into orders values (1, 0)',
  );
}, 60_000);
afterAll(() => server?.close());

test('two workers of a supervised gateway never answer what is older than an applied change', async () => {
  await using origin = await httpOrigin(async (_request, response) => {
    const [row] = await server.query('select status from orders where id = 1');
    response.end(String(row?.status));
  });
  await using lab = processLab();
  const folder = tempFolder();
  const [port, admin] = [await freePort(), await freePort()];
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${admin}`,
    workers: 2,
    services: { orders: { url: `http://127.0.0.1:${origin.port}` } },
    changes: {
      shop: {
        postgres: { url: server.url() },
        tables: { 'public.orders': ['order:{row.id}'] },
        maxWait: '2s',
      },
    },
    routes: {
      order: { match: '/orders/{id:int}', to: 'orders', cache: { ttl: '1h', tags: ['order:{params.id}'] } },
    },
  };
  writeFileSync(join(folder.path, 'tidegate.json'), JSON.stringify(config));
  lab.node(['--disable-warning=ExperimentalWarning', MAIN, 'run', join(folder.path, 'tidegate.json')]);
  const sources = async () => {
    const answer = await fetch(`http://127.0.0.1:${admin}/v1/changes`);
    return ((await answer.json()) as { sources: Record<string, unknown>[] }).sources;
  };
  await until(
    async () => (await sources().catch(() => []))[0]?.state === 'streaming',
    'the source to stream',
    30_000,
  );
  const read = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}/orders/1`, {
      headers: { ...headers, connection: 'close' },
    });
    return { value: Number(await answer.text()), cache: answer.headers.get('cache-status') ?? '' };
  };
  let hits = 0;
  for (let status = 1; status <= 10; status++) {
    await server.query('update orders set status = $1', [status]);
    const first = await read({ 'tidegate-after': `shop=${await server.position()}` });
    expect(first.value).toBe(status);
    expect(first.cache).not.toContain('behind');
    for (let i = 0; i < 10; i++) {
      const { value, cache } = await read();
      expect(value).toBe(status);
      if (cache.includes('hit')) hits++;
    }
  }
  expect(hits).toBeGreaterThan(10);
  await until(async () => (await sources())[0]?.lagBytes !== null, 'the lag to be known');
  expect(await sources()).toEqual([
    {
      name: 'shop',
      kind: 'postgres',
      state: 'streaming',
      position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
      lagBytes: expect.any(Number),
      lagSeconds: 0,
      events: 10,
      skipped: 0,
      error: null,
    },
  ]);
  const posted = await fetch(`http://127.0.0.1:${admin}/v1/changes/shop`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(posted.status).toBe(404);
  folder.close();
}, 90_000);
