import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLsn } from '../../src/changes/positions/index.ts';
import { cuttingProxy, httpOrigin, startTestGateway, until } from '../../src/testkit/index.ts';
import { ask } from '../workers/fixture/lab.ts';
import { PostgresServer } from './postgres-server.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.create();
  await server.query(
    'create table orders (id int primary key, status text); insert into orders values (1, $$new$$)',
  );
}, 60_000);
afterAll(() => server?.close());

interface Got {
  status: number;
  body: string;
  cache: string;
}

async function get(port: number, sent: Record<string, string> = {}, path = '/orders/1'): Promise<Got> {
  const { status, headers, text } = await ask(port, { path, headers: sent });
  return { status, body: text, cache: String(headers['cache-status'] ?? '') };
}

/** A service that reads the orders, a gateway that caches it and follows their table. */
async function shop(more: object = {}) {
  let asked = 0;
  const origin = await httpOrigin(async (_request, response) => {
    asked++;
    const [row] = await server.query('select status from orders where id = 1');
    response.end(String(row?.status));
  });
  const gateway = await startTestGateway({
    services: { orders: { url: `http://127.0.0.1:${origin.port}` } },
    changes: {
      shop: {
        postgres: { url: server.url(), slot: 'gateway' },
        tables: { 'public.orders': ['order:{row.id}'] },
        ...more,
      },
    },
    routes: {
      order: { match: '/orders/{id:int}', to: 'orders', cache: { ttl: '1h', tags: ['order:{params.id}'] } },
      'kept-calls': {
        match: '/kept-calls',
        aggregate: {
          calls: {
            order: {
              to: 'orders',
              path: '/orders/1',
              read: 'text',
              cache: { ttl: '1h', tags: ['order:1'] },
            },
            // After the first: it waits no second time.
            again: { route: 'order', path: '/orders/{order.status == 200 ? 1 : 0}', read: 'text' },
          },
        },
      },
      'kept-whole': {
        match: '/kept-whole',
        cache: { ttl: '1h' },
        aggregate: { calls: { order: { route: 'order', path: '/orders/1', read: 'text' } } },
      },
    },
  });
  const close = async () => {
    await gateway.close();
    await origin.close();
    await server.query("select pg_drop_replication_slot('gateway')").catch(() => {});
  };
  // Nothing is stored before the source streams.
  await until(async () => (await get(gateway.port)).cache.includes('hit'), 'the source to stream', 15_000);
  return { gateway, port: gateway.port, asked: () => asked, close, [Symbol.asyncDispose]: close };
}

describe('a gateway that follows a database', () => {
  test('an answer is given from memory until its row changes, then never again', async () => {
    await using node = await shop();
    for (const status of ['paid', 'packed', 'shipped']) {
      expect((await get(node.port)).cache).toContain('hit');
      await server.query('update orders set status = $1', [status]);
      const position = await server.position();
      const after = await get(node.port, { 'tidegate-after': `shop=${position}` });
      expect(after.body).toBe(status);
      await until(async () => (await get(node.port)).cache.includes('hit'), 'it to be stored again');
      expect((await get(node.port)).body).toBe(status);
    }
  });

  test('`tidegate-after` waits no longer than `maxWait`, then goes past the cache', async () => {
    await using node = await shop({ maxWait: '50ms' });
    const from = performance.now();
    const behind = await get(node.port, { 'tidegate-after': 'shop=7FFFFFFF/0' });
    expect(behind.status).toBe(200);
    expect(behind.cache).toContain('fwd=bypass');
    expect(behind.cache).toContain('detail=behind');
    expect(performance.now() - from).toBeGreaterThanOrEqual(49);
    const reached = await get(node.port, { 'tidegate-after': 'shop=0/1' });
    expect(reached.cache).toContain('hit');
  });

  test.each([
    ['/kept-calls', 2],
    ['/kept-whole', 1],
  ])('`tidegate-after` holds for what an aggregate is made of: %s', async (path, parts) => {
    await using node = await shop({ maxWait: '200ms' });
    await get(node.port, {}, path);
    const before = node.asked();
    await get(node.port, {}, path);
    expect(node.asked()).toBe(before);
    const from = performance.now();
    expect((await get(node.port, { 'tidegate-after': 'shop=7FFFFFFF/0' }, path)).status).toBe(200);
    expect(performance.now() - from).toBeLessThan(400);
    expect(node.asked()).toBe(before + parts);
    expect((await get(node.port, { 'tidegate-after': 'shop=0/1' }, path)).status).toBe(200);
    expect(node.asked()).toBe(before + parts);
    const malformed = await get(node.port, { 'tidegate-after': 'shp=0/1' }, path);
    expect(JSON.parse(malformed.body)).toMatchObject({
      status: 400,
      code: 'TG_AFTER_MALFORMED',
      reason: 'There is no change source shp: did you mean shop?',
    });
  });

  test.each([
    ['shop=here', 'The position of shop in tidegate-after is not one: expected an LSN such as 0/16B3748.'],
    ['shp=0/1', 'There is no change source shp: did you mean shop?'],
    [
      '0/1',
      'tidegate-after is not a source and its position: expected shop=POSITION with an LSN such as 0/16B3748.',
    ],
  ])('`tidegate-after: %s` is 400 and says what was expected', async (value, reason) => {
    await using node = await shop();
    const answer = await get(node.port, { 'tidegate-after': value });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'TG_AFTER_MALFORMED', reason });
  });

  test.each(['shop=0/1,', ' , shop=0/1', 'shop=0/1,, shop=0/2 ,', ''])(
    '`tidegate-after: %s` is read without its empty members (RFC 9110 §5.6.1)',
    async (value) => {
      await using node = await shop();
      expect((await get(node.port, { 'tidegate-after': value })).cache).toContain('hit');
      const behind = await get(node.port, { 'tidegate-after': `${value}, shop=7FFFFFFF/0` });
      expect(behind.cache).toContain('detail=behind');
    },
  );

  test('beyond `maxLag` nothing that the source feeds is answered from the cache, until it has caught up', async () => {
    const line = await cuttingProxy(server.port);
    try {
      const url = server.url().replace(`:${server.port}/`, `:${line.port}/`);
      await using node = await shop({ maxLag: '2s', postgres: { url, slot: 'gateway' } });
      // An idle source is not a late one.
      const from = performance.now();
      while (performance.now() - from < 3500) {
        expect((await get(node.port)).cache).toContain('hit');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      line.freeze();
      await until(async () => !(await get(node.port)).cache.includes('hit'), 'the bound to hold', 4000);
      await server.query("update orders set status = 'while frozen'");
      expect((await get(node.port)).body).toBe('while frozen');
      line.thaw();
      line.cut();
      await until(async () => (await get(node.port)).cache.includes('hit'), 'it to catch up', 20_000);
      expect((await get(node.port)).body).toBe('while frozen');
    } finally {
      await line.close();
    }
  }, 60_000);

  test('`onLag: serve` answers even then, and says so', async () => {
    const line = await cuttingProxy(server.port);
    try {
      const url = server.url().replace(`:${server.port}/`, `:${line.port}/`);
      const postgres = { url, slot: 'gateway' };
      await using node = await shop({ maxLag: '1500ms', onLag: 'serve', postgres });
      expect((await get(node.port)).cache).not.toContain('detail');
      line.freeze();
      await until(async () => (await get(node.port)).cache.includes('detail=lag'), 'it to be said', 4000);
      expect((await get(node.port)).cache).toContain('hit');
      line.thaw();
      line.cut();
    } finally {
      await line.close();
    }
  }, 60_000);

  test('no read is older than a change that was reported applied before it, under writers and readers', async () => {
    await using node = await shop();
    await server.query("update orders set status = '0'");
    let written = 0;
    let stale = 0;
    let hits = 0;
    const end = performance.now() + 3000;
    const write = async () => {
      while (performance.now() < end) {
        const next = written + 1;
        await server.query('update orders set status = $1', [String(next)]);
        const at = await server.position();
        const seen = await get(node.port, { 'tidegate-after': `shop=${at}` });
        if (Number(seen.body) < next) stale++;
        // A client that waits for it proves that it is applied; from now on nobody may see less.
        if (!seen.cache.includes('behind')) written = next;
      }
    };
    const read = async () => {
      while (performance.now() < end) {
        const least = written;
        const { body, cache } = await get(node.port);
        if (Number(body) < least) stale++;
        if (cache.includes('hit')) hits++;
      }
    };
    await Promise.all([write(), ...Array.from({ length: 8 }, read)]);
    expect(stale).toBe(0);
    expect(written).toBeGreaterThan(20);
    expect(hits).toBeGreaterThan(0);
    expect(parseLsn(await server.position())).not.toBeNull();
  });
});
