import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  cuttingProxy,
  type HttpOrigin,
  httpOrigin,
  mariadbServer,
  noRedis,
  processLab,
  type RedisServer,
  redisServer,
  skippedWithout,
  startTestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { startWholeNode, type WholeNode } from '../cache/flow/whole-node.ts';
import { ask } from '../workers/fixture/lab.ts';
import { PostgresServer } from './postgres-server.ts';

const SLOT = 'own_writes';
let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.create();
  await server.query('create table orders (id int primary key, status int)');
}, 60_000);
beforeEach(async () => {
  await server.query(
    'insert into orders select id, 0 from generate_series(1, 8) id on conflict (id) do update set status = 0',
  );
});
afterAll(() => server?.close());

interface Got {
  readonly status: number;
  readonly body: string;
  readonly cache: string;
}

async function send(port: number, path: string, user: string | null, method = 'GET'): Promise<Got> {
  const { status, headers, text } = await ask(port, {
    path,
    method,
    headers: user === null ? {} : { 'x-user': user },
  });
  return { status, body: text, cache: String(headers['cache-status'] ?? '') };
}

const read = (port: number, user: string | null) => send(port, '/orders/1', user);
const write = (port: number, user: string | null) => send(port, '/pay/1', user, 'POST');

/** A service whose writes go to another URL than its reads, so that nothing but the source tells of them. */
function shop() {
  return httpOrigin(async ({ method, url = '' }, response) => {
    const sql =
      method === 'POST'
        ? 'update orders set status = status + 1 where id = $1 returning status'
        : 'select status from orders where id = $1';
    const [row] = await server.query(sql, [Number(/\d+/.exec(url)![0])]);
    response.setHeader('content-type', 'text/plain');
    if (url.includes('chunked')) response.write(String(row?.status));
    response.end(url.includes('chunked') ? '' : String(row?.status));
  });
}

function configOf(origin: string, source: object, more: object = {}): object {
  return {
    services: { orders: { url: origin } },
    changes: {
      shop: {
        postgres: { url: server.url(), slot: SLOT },
        tables: { 'public.orders': ['order:{row.id}'] },
        readYourWrites: 'request.headers["x-user"]',
        ...source,
      },
    },
    routes: {
      read: { match: '/orders/{id:int}', to: 'orders', cache: { ttl: '1h', tags: ['order:{params.id}'] } },
      write: { match: '/pay/{id:int}', to: 'orders' },
      page: {
        match: '/page',
        aggregate: {
          calls: {
            order: {
              to: 'orders',
              path: '/orders/1',
              read: 'text',
              cache: { ttl: '1h', tags: ['order:1'], shared: true },
            },
          },
        },
      },
    },
    ...more,
  };
}

/** The process that sends the changes; while it is stopped the source falls behind, and the database answers on. */
async function sender(): Promise<number> {
  const [row] = await server.query('select active_pid from pg_replication_slots where slot_name = $1', [
    SLOT,
  ]);
  return Number(row?.active_pid);
}

async function whileBehind(run: () => Promise<void>): Promise<void> {
  const pid = await sender();
  process.kill(pid, 'SIGSTOP');
  try {
    await run();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** By each worker of each node. */
async function kept(nodes: readonly WholeNode[], user: string | null = null): Promise<boolean> {
  for (let i = 0; i < 20; i++) for (const { port } of nodes) if (!(await hit(port, user))) return false;
  return true;
}

const hit = async (port: number, user: string | null = null) =>
  (await read(port, user)).cache.includes('hit');

describe('`readYourWrites`', () => {
  async function start(source: object = {}) {
    const origin = await shop();
    return await startWith(origin, configOf(origin.url, source));
  }

  async function startWith(origin: HttpOrigin, config: object, user: string | null = null) {
    const gateway = await startTestGateway(config);
    const close = async () => {
      await gateway.close();
      await origin.close();
      await until(
        () =>
          server.query('select pg_drop_replication_slot($1)', [SLOT]).then(
            () => true,
            () => false,
          ),
        'the slot to be free',
        15_000,
      );
    };
    await until(() => hit(gateway.port, user), 'the source to stream', 15_000);
    return { port: gateway.port, reload: gateway.reload, [Symbol.asyncDispose]: close };
  }

  it('answers whoever has written with nothing older, though the client says nothing', async () => {
    await using node = await start({ maxWait: '5s' });
    let hits = 0;
    for (let i = 1; i <= 100; i++) {
      expect((await write(node.port, 'ada')).body).toBe(String(i));
      const own = await read(node.port, 'ada');
      expect(own.body).toBe(String(i));
      expect(own.cache).not.toContain('behind');
      if ((await read(node.port, 'ada')).cache.includes('hit')) hits++;
    }
    expect(hits).toBeGreaterThan(50);
  }, 60_000);

  it('goes past the cache where the source is behind for longer than `maxWait`, for that client alone', async () => {
    await using node = await start({ maxWait: '50ms' });
    await whileBehind(async () => {
      expect((await write(node.port, 'ada')).body).toBe('1');
      const own = await read(node.port, 'ada');
      expect(own.body).toBe('1');
      expect(own.cache).toContain('fwd=bypass; detail=behind');
      for (const user of ['bob', null]) {
        const other = await read(node.port, user);
        expect([other.body, other.cache.includes('hit')]).toEqual(['0', true]);
      }
    });
    await until(async () => (await read(node.port, 'ada')).cache.includes('hit'), 'the source to catch up');
    expect((await read(node.port, null)).body).toBe('1');
  }, 60_000);

  it('waits for the source, and answers from the cache once it is there', async () => {
    await using node = await start({ maxWait: '20s' });
    let own!: Promise<Got>;
    await whileBehind(async () => {
      await write(node.port, 'ada');
      own = read(node.port, 'ada');
      const first = await Promise.race([own, read(node.port, 'bob').then(() => 'bob')]);
      expect(first).toBe('bob');
    });
    expect(await own).toMatchObject({ body: '1', cache: expect.not.stringContaining('behind') });
  }, 60_000);

  it('tells those apart that have no key: nothing is remembered of them', async () => {
    await using node = await start({ maxWait: '50ms' });
    await whileBehind(async () => {
      await write(node.port, null);
      expect(await hit(node.port)).toBe(true);
    });
  }, 60_000);

  it('knows by `auth.subject` who asks, with whichever credential', async () => {
    const origin = await shop();
    const keyed = (key: string, subject: string) => ({
      hash: `sha256:${createHash('sha256').update(key).digest('hex')}`,
      subject,
    });
    const routes = {
      read: {
        match: '/orders/{id:int}',
        to: 'orders',
        auth: { with: 'keys' },
        cache: { ttl: '1h', tags: ['order:{params.id}'], shared: true },
      },
      write: { match: '/pay/{id:int}', to: 'orders', auth: { with: 'keys' } },
    };
    const auth = {
      keys: {
        apiKey: {
          from: [{ header: 'x-user' }],
          keys: [keyed('ada', 'a'), keyed('ada too', 'a'), keyed('bob', 'b')],
        },
      },
    };
    const config = configOf(
      origin.url,
      { maxWait: '50ms', readYourWrites: 'auth.subject' },
      { auth, routes },
    );
    await using node = await startWith(origin, config, 'bob');
    await whileBehind(async () => {
      await write(node.port, 'ada');
      const bodies = await Promise.all(
        ['ada', 'ada too', 'bob'].map(async (user) => (await read(node.port, user)).body),
      );
      expect(bodies).toEqual(['1', '1', '0']);
      expect((await read(node.port, 'eve')).status).toBe(401);
    });
  }, 60_000);

  it('begins with the config that says it, and ends with the one that does not', async () => {
    const origin = await shop();
    const without = configOf(origin.url, { maxWait: '50ms', readYourWrites: undefined });
    await using node = await startWith(origin, JSON.parse(JSON.stringify(without)));
    const own = async () => {
      await until(() => hit(node.port, 'ada'), 'it to be kept', 15_000);
      let outcome = '';
      await whileBehind(async () => {
        const { body } = await write(node.port, 'ada');
        outcome = (await read(node.port, 'ada')).body === body ? 'new' : 'old';
      });
      return outcome;
    };
    expect(await own()).toBe('old');
    await node.reload(configOf(origin.url, { maxWait: '50ms' }));
    expect(await own()).toBe('new');
    await node.reload(JSON.parse(JSON.stringify(without)));
    expect(await own()).toBe('old');
  }, 60_000);

  it('counts for the calls of an aggregate, too, as `tidegate-after` does', async () => {
    await using node = await start({ maxWait: '50ms' });
    const page = async (user: string | null, after = '') => {
      const headers = {
        ...(user === null ? {} : { 'x-user': user }),
        ...(after === '' ? {} : { 'tidegate-after': after }),
      };
      const answer = await ask(node.port, { path: '/page', headers: { host: 'shop.test', ...headers } });
      return JSON.parse(answer.text).order;
    };
    expect(await page(null)).toBe('0');
    await whileBehind(async () => {
      await write(node.port, 'ada');
      expect([await page('ada'), await page('bob'), await page(null)]).toEqual(['1', '0', '0']);
      expect(await page(null, `shop=${await server.position()}`)).toBe('1');
    });
  }, 60_000);

  it('counts for a service whose answers have no end in sight, by their end', async () => {
    await using node = await start({ maxWait: '50ms' });
    await whileBehind(async () => {
      // HTTP/1.1 without a length: the answer is complete with its last chunk.
      expect((await send(node.port, '/pay/1?chunked', 'ada', 'POST')).body).toBe('1');
      expect((await read(node.port, 'ada')).body).toBe('1');
    });
  }, 60_000);

  it('goes past the cache while the database can not be asked, and holds no answer for long', async () => {
    const line = await cuttingProxy(server.port);
    try {
      const url = server.url().replace(`:${server.port}/`, `:${line.port}/`);
      await using node = await start({ maxWait: '50ms', postgres: { url, slot: SLOT } });
      line.freeze();
      const from = performance.now();
      expect((await write(node.port, 'ada')).body).toBe('1');
      expect(performance.now() - from).toBeLessThan(2000);
      for (let i = 0; i < 5; i++) {
        const own = await read(node.port, 'ada');
        expect([own.body, own.cache.includes('behind')]).toEqual(['1', true]);
      }
      expect(await hit(node.port)).toBe(true);
      line.thaw();
      line.cut();
      await until(
        async () => (await read(node.port, 'ada')).cache.includes('hit'),
        'it to be found out after all',
        20_000,
      );
      expect((await read(node.port, 'ada')).body).toBe('1');
    } finally {
      await line.close();
    }
  }, 60_000);
});

describe('`readYourWrites` where commits are answered before they are flushed', () => {
  it('asks for what was written, not for what was flushed', async () => {
    const before = server;
    server = await PostgresServer.create({ synchronous_commit: 'off', wal_writer_delay: '100ms' });
    try {
      await server.query('create table orders (id int primary key, status int)');
      await server.query('insert into orders values (1, 0)');
      await using origin = await shop();
      await using gateway = await startTestGateway(configOf(origin.url, { maxWait: '5s' }));
      const { port } = gateway;
      await until(() => hit(port), 'the source to stream', 15_000);
      for (let i = 1; i <= 20; i++) {
        await until(() => hit(port), 'it to be kept');
        expect((await write(port, 'ada')).body).toBe(String(i));
        expect(await read(port, 'ada')).toMatchObject({
          body: String(i),
          cache: expect.not.stringContaining('behind'),
        });
      }
    } finally {
      await server.close();
      server = before;
    }
  }, 60_000);
});

const skip = skippedWithout('MariaDB', 'mariadbd', 'mysqld');
if (skip !== '') console.log(`own writes in MySQL: ${skip}`);

describe.skipIf(skip !== '')('`readYourWrites` of MariaDB', () => {
  it('answers whoever has written with nothing older', async () => {
    const database = await mariadbServer();
    try {
      await database.run('create table shop.orders (id int primary key, status int)');
      await database.run('insert into shop.orders values (1, 0)');
      const connection = await database.connect();
      await using origin = await httpOrigin(async ({ method }, response) => {
        if (method === 'POST') await connection.query('update shop.orders set status = status + 1');
        const [[row]] = (await connection.query('select status from shop.orders')) as unknown as [
          { status: number }[],
        ];
        response.end(String(row?.status));
      });
      const url = `mysql://tidegate:secret@127.0.0.1:${database.port}/shop`;
      const tables = { 'shop.orders': ['order:{row.id}'] };
      const config = configOf(origin.url, {
        postgres: undefined,
        mysql: { url, serverId: 78 },
        tables,
        maxWait: '5s',
      });
      await using gateway = await startTestGateway(JSON.parse(JSON.stringify(config)));
      const { port } = gateway;
      await until(() => hit(port), 'the source to stream', 15_000);
      let hits = 0;
      for (let i = 1; i <= 30; i++) {
        expect((await write(port, 'ada')).body).toBe(String(i));
        const own = await read(port, 'ada');
        expect([own.body, own.cache.includes('behind')]).toEqual([String(i), false]);
        if ((await read(port, 'ada')).cache.includes('hit')) hits++;
      }
      expect(hits).toBeGreaterThan(10);
      connection.destroy();
    } finally {
      await database.close();
    }
  }, 60_000);
});

describe.skipIf(noRedis())('`readYourWrites` on two whole nodes of two workers that share Redis', () => {
  let redis: RedisServer;
  const lab = processLab();
  const folder = tempFolder();
  let nodes: WholeNode[] = [];
  let origin: Awaited<ReturnType<typeof shop>>;

  beforeAll(async () => {
    redis = await redisServer();
    origin = await shop();
    const more = { workers: 2, cache: { redis: redis.url } };
    const config = configOf(origin.url, { maxWait: '3s' }, more);
    nodes = [await startWholeNode(lab, folder.path, config), await startWholeNode(lab, folder.path, config)];
    await until(() => kept(nodes, 'ada'), 'the source to stream, and Redis to be believed', 30_000);
  }, 90_000);
  afterAll(async () => {
    await lab.close();
    await origin?.close();
    await redis?.close();
    folder.close();
  });

  it('whoever has written through one reads nothing older through the other', async () => {
    const [one, other] = nodes as [WholeNode, WholeNode];
    let last = 0;
    await until(async () => (await read(one.port, null)).body === '0', 'the row to be as it begins');
    for (let i = 0; i < 60; i++) {
      const written = Number((await write(i % 2 === 0 ? one.port : other.port, 'ada')).body);
      expect(written).toBeGreaterThan(last);
      last = written;
      for (const { port } of [other, one]) {
        const own = await read(port, 'ada');
        expect(Number(own.body)).toBe(last);
        expect(own.cache).not.toContain('behind');
      }
      if (i % 10 !== 0) continue;
      await until(() => kept(nodes), 'it to be kept again');
      for (const { port } of nodes) {
        const own = await read(port, 'ada');
        expect([Number(own.body), own.cache.includes('hit')]).toEqual([last, true]);
      }
    }
  }, 60_000);

  it('many at once, each at whichever node, with nothing older and nothing failed', async () => {
    const stale: string[] = [];
    const anyPort = () => nodes[Math.floor(Math.random() * nodes.length)]!.port;
    let reads = 0;
    const client = async (id: number) => {
      for (let i = 1; i <= 40; i++) {
        const written = await send(anyPort(), `/pay/${id}`, `user ${id}`, 'POST');
        for (let j = 0; j < 3; j++) {
          const own = await send(anyPort(), `/orders/${id}`, `user ${id}`);
          reads++;
          if (own.body !== written.body)
            stale.push(`${id}: ${own.status} ${own.body}, not ${written.body}: ${own.cache}`);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => client(i + 1)));
    expect([reads, stale]).toEqual([960, []]);
  }, 60_000);

  it('also where the source is behind: then past the cache, on each', async () => {
    await until(() => kept(nodes), 'it to be kept');
    await whileBehind(async () => {
      const { body } = await write(nodes[0]!.port, 'ada');
      const all = await Promise.all(nodes.map(({ port }) => read(port, 'ada')));
      for (const own of all) {
        expect(own.body).toBe(body);
        expect(own.cache).toContain('detail=behind');
      }
      expect((await read(nodes[1]!.port, 'bob')).cache).toContain('hit');
    });
  }, 60_000);

  it('also where Redis has lost what it was told', async () => {
    for (let i = 0; i < 3; i++) {
      await until(() => kept(nodes), 'it to be kept', 20_000);
      await whileBehind(async () => {
        const { body } = await write(nodes[0]!.port, 'ada');
        await redis.restart({ data: 'none' });
        const from = performance.now();
        while (performance.now() - from < 2000) expect((await read(nodes[1]!.port, 'ada')).body).toBe(body);
      });
    }
  }, 90_000);

  it('goes past the cache while Redis can not tell, as long as tagged entries are answered', async () => {
    await until(() => kept(nodes), 'it to be kept');
    redis.freeze();
    try {
      const { body } = await write(nodes[0]!.port, 'ada');
      const from = performance.now();
      while (performance.now() - from < 2000) {
        const own = await read(nodes[1]!.port, 'ada');
        expect(own.body).toBe(body);
      }
    } finally {
      redis.thaw();
    }
    const synced = async ({ admin }: WholeNode) =>
      JSON.parse((await ask(admin, { path: '/v1/cache' })).text).redis.log === true;
    for (const node of nodes) await until(() => synced(node), 'Redis to be followed again', 15_000);
  }, 60_000);
});
