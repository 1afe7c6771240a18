import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  ManualClock,
  startTestGateway,
  type TestGateway,
  turn,
  until,
} from '../../src/testkit/index.ts';
import {
  collected,
  type GrpcServer,
  get,
  grpcClient,
  grpcServer,
  type Order,
  outcome,
  type Shop,
  type ShopClient,
} from './stage.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  servers: GrpcServer[];
  gateway: TestGateway;
  client: ShopClient;
}

/** A gateway in front of a service with these targets. */
async function stage(
  shops: Shop[],
  config: { service?: object; route?: object; limits?: object; more?: object; clock?: ManualClock } = {},
): Promise<Stage> {
  const servers = await Promise.all(shops.map((shop) => grpcServer(shop)));
  const { service = {}, route = {}, limits = {}, more = {}, clock } = config;
  const gateway = await startTestGateway(
    {
      listen: [{ name: 'front', address: '127.0.0.1:0', http2: true, limits }],
      services: { shop: { targets: servers.map(({ port }) => `h2c://127.0.0.1:${port}`), ...service } },
      routes: { shop: { match: '/shop.v1.Shop/*', to: 'shop', ...route } },
      ...more,
    },
    clock === undefined ? {} : { clock },
  );
  const client = grpcClient(gateway.port);
  closers.push(
    ...servers.map((server) => () => server[Symbol.asyncDispose]()),
    () => gateway.close(),
    () => client.close(),
  );
  return { servers, gateway, client };
}

const echo: Shop = { get: ({ request }, done) => done(null, request) };
type Chat = ServerDuplexStream<Order, Partial<Order>>;

/** Lets whatever is on its way arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe('an error of the gateway is a problem document, and gRPC clients take its status for a code', () => {
  const code = async (on: Stage, order: Partial<Order> = { id: 'a' }) => {
    const { error } = await get(on.client, order);
    return [error?.code, error?.details];
  };
  /** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
  const rows: [http: number, name: keyof typeof status, make: () => Promise<Stage>][] = [
    [401, 'UNAUTHENTICATED', () => stage([echo], { ...KEYS, route: { auth: { with: 'keys' } } })],
    [403, 'PERMISSION_DENIED', () => stage([echo], { route: { auth: { with: 'none', allow: 'false' } } })],
    [404, 'UNIMPLEMENTED', () => stage([echo], { route: { match: '/other/*' } })],
    [405, 'UNKNOWN', () => stage([echo], { route: { match: { path: '/*', method: 'PUT' } } })],
    [413, 'UNKNOWN', () => stage([echo], { route: { maxBody: '1B' } })],
    [429, 'UNAVAILABLE', () => stage([echo], { route: { limit: { rate: '1/h', burst: 1 } } })],
    [502, 'UNAVAILABLE', () => stage([echo], { service: { targets: ['h2c://127.0.0.1:1'] } })],
    [503, 'UNAVAILABLE', () => stage([echo], { service: { breaker: { maxRequests: 1, maxPending: 1 } } })],
    [504, 'UNAVAILABLE', () => stage([{ get: () => {} }], { service: { timeout: '50ms' } })],
  ];
  const KEYS = {
    more: { auth: { keys: { apiKey: { keys: [{ hash: `sha256:${'0'.repeat(64)}`, subject: 'a' }] } } } },
  };

  it.each(rows.filter(([http]) => http !== 503 && http !== 429))('%i is %s', async (http, name, make) => {
    const on = await make();
    expect(await code(on)).toEqual([status[name], expect.stringContaining(String(http))]);
  });

  it('429 is UNAVAILABLE', async () => {
    const on = await stage([echo], { route: { limit: { rate: '1/h', burst: 1 } } });
    expect(await code(on)).toEqual([undefined, undefined]);
    expect(await code(on)).toEqual([status.UNAVAILABLE, expect.stringContaining('429')]);
  });

  it('503 is UNAVAILABLE', async () => {
    let begun = 0;
    const on = await stage([{ get: () => void begun++ }], {
      service: { breaker: { maxRequests: 1, maxPending: 1 } },
    });
    const one = on.client.get({}, new Metadata(), {}, () => {});
    await until(() => begun === 1, 'the first');
    const two = on.client.get({}, new Metadata(), {}, () => {});
    await settle();
    expect(await code(on)).toEqual([status.UNAVAILABLE, expect.stringContaining('503')]);
    one.cancel();
    two.cancel();
  });

  it('and onStatus may answer as gRPC does instead, with a message of its own', async () => {
    const respond = {
      status: 200,
      headers: { 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'come back later' },
    };
    const on = await stage([echo], {
      service: { targets: ['h2c://127.0.0.1:1'] },
      route: { onStatus: { '502-504': { respond } } },
    });
    expect(await code(on)).toEqual([status.UNAVAILABLE, 'come back later']);
  });
});

describe('a service of gRPC', () => {
  it('that is lost in the middle of a stream leaves its client with an error, never with an end', async () => {
    const on = await stage([{ watch: (stream) => void stream.write({ count: 1 }) }]);
    const watch = on.client.watch({});
    const all = collected(watch);
    await new Promise((resolve) => watch.once('data', resolve));
    on.servers[0]!.server.forceShutdown();
    const { orders, status: last } = await all;
    expect(orders).toHaveLength(1);
    expect(last.code).not.toBe(status.OK);
  });

  it('that is shut down gracefully, one target after another, loses no call', async () => {
    const on = await stage([echo, echo], { service: { retries: { budget: '100%' } } });
    let going = true;
    let calls = 0;
    const lost: unknown[] = [];
    const callers = Array.from({ length: 20 }, async () => {
      while (going) {
        const { error } = await get(on.client, { id: 'a', content: Buffer.alloc(2000) });
        calls++;
        if (error !== null) lost.push(error.message);
      }
    });
    await until(() => calls > 200, 'calls');
    const { port } = on.servers[0]!;
    await new Promise((resolve) => on.servers[0]!.server.tryShutdown(resolve));
    const [before, again] = [calls, await grpcServer(echo, null, port)];
    closers.push(() => again[Symbol.asyncDispose]());
    await until(() => calls > before + 200, 'more calls');
    going = false;
    await Promise.all(callers);
    expect(lost).toEqual([]);
  });

  it('that is away is tried elsewhere, whatever the method: nothing has reached it', async () => {
    const gone = await freePort();
    const servers = await stage([echo]);
    const live = `h2c://127.0.0.1:${servers.servers[0]!.port}`;
    const on = await stage([], { service: { targets: [`h2c://127.0.0.1:${gone}`, live] } });
    for (let i = 0; i < 4; i++) expect((await get(on.client, { id: 'a' })).error).toBeNull();
  });
});

describe('a long stream of gRPC', () => {
  const LONG = { service: { timeout: { response: 'none', idle: '1h' } }, limits: { bodyTimeout: '1h' } };
  const chats: Chat[] = [];
  const shop: Shop = { chat: (stream) => void chats.push(stream as Chat) };
  const open = async (config: Parameters<typeof stage>[1], clock: ManualClock) => {
    chats.length = 0;
    const on = await stage([shop], { ...config, clock });
    const chat = on.client.chat();
    const all = collected(chat);
    chat.write({ id: 'hello' });
    const [served] = await until(() => (chats.length > 0 ? chats : null), 'the call');
    await settle();
    return { chat, all, served: served! };
  };
  const next = (stream: { once(event: 'data', listener: (order: Order) => void): unknown }) =>
    new Promise<Order>((resolve) => stream.once('data', resolve));

  it('lives through silence where timeout and bodyTimeout allow it, before the first answer and after', async () => {
    const clock = new ManualClock();
    const { chat, all, served } = await open(LONG, clock);
    const advance = async (minutes: number) => {
      for (let i = 0; i < minutes; i++) clock.advance(60_000);
      await settle();
    };
    await advance(50);
    const first = next(chat);
    served.write({ id: 'first' });
    expect(await first).toMatchObject({ id: 'first' });
    await advance(50);
    const heard: string[] = [];
    served.on('data', ({ id }: Order) => heard.push(id));
    chat.write({ id: 'still here' });
    await until(() => heard.includes('still here'), 'its client to be heard');
    await advance(50);
    const last = next(chat);
    served.write({ id: 'last' });
    expect(await last).toMatchObject({ id: 'last' });
    served.end();
    expect((await all).status.code).toBe(status.OK);
  });

  it('is cut after timeout.idle without a byte either way', async () => {
    const clock = new ManualClock();
    const { chat, all, served } = await open({}, clock);
    const first = next(chat);
    served.write({ id: 'first' });
    await first;
    for (let i = 0; i < 10; i++) clock.advance(15_000);
    expect((await all).status.code).not.toBe(status.OK);
    await until(() => served.cancelled, 'the service to be told');
  });

  it('of requests alone counts as an upload that stands still: bodyTimeout of the listener', async () => {
    const clock = new ManualClock();
    const { all } = await open({}, clock);
    clock.advance(31_000);
    expect((await all).status).toMatchObject({ details: expect.stringContaining('408') });
  });

  it('of answers, whose first may be late, waits as long as timeout.response says', async () => {
    const clock = new ManualClock();
    const waits: { write(order: Partial<Order>): boolean; end(): void }[] = [];
    const on = await stage([{ watch: (stream) => void waits.push(stream) }], { ...LONG, clock });
    const all = collected(on.client.watch({}));
    const [served] = await until(() => (waits.length > 0 ? waits : null), 'the call');
    for (let i = 0; i < 50; i++) clock.advance(60_000);
    served!.write({ id: 'late' });
    served!.end();
    expect(await all).toMatchObject({ orders: [{ id: 'late' }], status: { code: status.OK } });
  });

  it('goes on under a reload, and is done when its service says so', async () => {
    const clock = new ManualClock();
    chats.length = 0;
    const on = await stage([shop], { clock });
    const chat = on.client.chat();
    const all = collected(chat);
    chat.write({ id: 'hello' });
    const [served] = await until(() => (chats.length > 0 ? chats : null), 'the call');
    await on.gateway.reload({
      listen: [{ name: 'front', address: '127.0.0.1:0', http2: true }],
      routes: { all: { match: '/*', respond: { body: 'new' } } },
    });
    const came = next(chat);
    served!.write({ id: 'still' });
    expect(await came).toMatchObject({ id: 'still' });
    served!.end();
    expect((await all).status.code).toBe(status.OK);
  });
});

describe('a call of gRPC over another route', () => {
  it('to a service of HTTP/1.1 fails as its client can tell', async () => {
    const on = await stage([echo]);
    const before = outcome((done) => on.client.get({ id: 'a' }, new Metadata(), {}, done));
    expect((await before).error).toBeNull();
    await using plain = await startTestGateway({
      listen: [{ name: 'front', address: '127.0.0.1:0', http2: true }],
      services: { shop: { url: `http://127.0.0.1:${on.servers[0]!.port}` } },
      routes: { all: { match: '/*', to: 'shop' } },
    });
    const client = grpcClient(plain.port);
    expect((await get(client, { id: 'a' })).error!.code).toBe(status.UNAVAILABLE);
    client.close();
  });
});
