import { Metadata, type ServerDuplexStream, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Certificates,
  certificates,
  standsStill,
  startTestGateway,
  type TempFolder,
  type TestGateway,
  tempFolder,
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

let folder: TempFolder;
let authority: Certificates;
let plain: GrpcServer;
let secret: GrpcServer;
let gateway: TestGateway;
let client: ShopClient;
let shop: Shop;
/** The last call at the service, of whatever kind. */
let call: ServerUnaryCall<Order, Order>;

const behind =
  (name: keyof Shop) =>
  (...parts: unknown[]) => {
    call = parts[0] as typeof call;
    return (shop[name] as unknown as (...parts: unknown[]) => void)(...parts);
  };
const served = {
  get: behind('get'),
  watch: behind('watch'),
  upload: behind('upload'),
  chat: behind('chat'),
} as unknown as Shop;

beforeAll(async () => {
  folder = tempFolder();
  authority = await certificates();
  const pair = await authority.leaf(['127.0.0.1', 'localhost']);
  for (const [name, text] of Object.entries({ ...pair, ca: authority.ca })) folder.write(`${name}.pem`, text);
  plain = await grpcServer(served);
  secret = await grpcServer(served, pair);
  gateway = await startTestGateway(
    {
      listen: [
        { name: 'plain', address: '127.0.0.1:0', http2: true },
        { name: 'tls', address: '127.0.0.1:0', tls: { cert: 'cert.pem', key: 'key.pem' } },
      ],
      services: {
        plain: { url: `h2c://127.0.0.1:${plain.port}` },
        secret: { url: `h2://127.0.0.1:${secret.port}`, tls: { ca: 'ca.pem' } },
      },
      routes: {
        plain: {
          match: { path: '/shop.v1.Shop/*', listener: 'plain' },
          to: 'plain',
          compress: true,
          maxBody: '1MiB',
        },
        secret: { match: { path: '/shop.v1.Shop/*', listener: 'tls' }, to: 'secret' },
      },
    },
    { folder: folder.path },
  );
  client = grpcClient(gateway.port);
});
afterAll(async () => {
  client.close();
  await gateway.close();
  await plain[Symbol.asyncDispose]();
  await secret[Symbol.asyncDispose]();
  folder.close();
});
beforeEach(() => {
  shop = {};
});

/** A stream of the service; its client is gone once it is cancelled. */
type Chat = ServerDuplexStream<Order, Partial<Order>>;
const nextOf = (stream: { once(event: 'data', listener: (order: Order) => void): unknown }) =>
  new Promise<Order>((resolve) => stream.once('data', resolve));

describe('a unary call', () => {
  it('is answered, with metadata both ways, binary too, and trailing metadata', async () => {
    shop.get = ({ request, metadata, sendMetadata }, done) => {
      const first = new Metadata();
      first.set('x-first', String(metadata.get('x-mine')[0]));
      first.set('x-first-bin', metadata.get('x-mine-bin')[0]!);
      call.sendMetadata(first);
      expect(sendMetadata).toBeTypeOf('function');
      const last = new Metadata();
      last.set('x-last', 'z');
      last.set('x-last-bin', Buffer.of(0, 255, 10));
      done(null, { id: request.id, count: request.count + 1 }, last);
    };
    const mine = new Metadata();
    mine.set('x-mine', 'a, b');
    mine.set('x-mine-bin', Buffer.of(1, 2, 250));
    const got = await get(client, { id: 'a', count: 1 }, mine);
    expect(got.order).toMatchObject({ id: 'a', count: 2 });
    expect(got.metadata.get('x-first')).toEqual(['a, b']);
    expect(got.metadata.get('x-first-bin')).toEqual([Buffer.of(1, 2, 250)]);
    expect(got.status).toMatchObject({ code: status.OK });
    expect(got.status.metadata.get('x-last')).toEqual(['z']);
    expect(got.status.metadata.get('x-last-bin')).toEqual([Buffer.of(0, 255, 10)]);
  });

  it('fails with the status, the message and the details of the service, in trailers alone', async () => {
    shop.get = (_, done) => {
      const details = new Metadata();
      details.set('grpc-status-details-bin', Buffer.from('more'));
      done({ code: status.FAILED_PRECONDITION, details: 'kein Öl – 100%', metadata: details });
    };
    const { error } = await get(client, { id: 'a' });
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'kein Öl – 100%' });
    expect(error!.metadata.get('grpc-status-details-bin')).toEqual([Buffer.from('more')]);
  });

  it('of a method that the service does not have is UNIMPLEMENTED by its word', async () => {
    const bare = await grpcServer({});
    bare.server.removeService({ Get: { path: '/shop.v1.Shop/Get' } } as never);
    await using gatewayBefore = await startTestGateway({
      listen: [{ name: 'plain', address: '127.0.0.1:0', http2: true }],
      services: { bare: { url: `h2c://127.0.0.1:${bare.port}` } },
      routes: { all: { match: '/*', to: 'bare' } },
    });
    const other = grpcClient(gatewayBefore.port);
    const { error } = await get(other, { id: 'a' });
    expect(error!.code).toBe(status.UNIMPLEMENTED);
    expect(error!.details).toContain('/shop.v1.Shop/Get');
    other.close();
    await bare[Symbol.asyncDispose]();
  });

  it('carries its deadline on, and is over at it on both sides', async () => {
    let left = 0;
    shop.get = (asked) => {
      left = new Date(asked.getDeadline() as Date).getTime() - Date.now();
    };
    const { error } = await get(client, { id: 'a' }, new Metadata(), { deadline: Date.now() + 300 });
    expect(error!.code).toBe(status.DEADLINE_EXCEEDED);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(300);
    await until(() => call.cancelled, 'the service to be told');
  });

  it('that its client cancels is cancelled at the service', async () => {
    let begun = false;
    shop.get = () => {
      begun = true;
    };
    const over = outcome((done) => {
      const one = client.get({ id: 'a' }, new Metadata(), {}, done);
      until(() => begun, 'it to begin').then(() => one.cancel());
      return one;
    });
    expect((await over).error!.code).toBe(status.CANCELLED);
    await until(() => call.cancelled, 'the service to be told');
  });

  it('with compressed messages passes as it is', async () => {
    shop.get = ({ request }, done) => done(null, request);
    const gzip = grpcClient(gateway.port, null, { 'grpc.default_compression_algorithm': 2 });
    const content = Buffer.alloc(500_000, 'ab');
    expect((await get(gzip, { id: 'a', content })).order!.content.equals(content)).toBe(true);
    gzip.close();
  });

  it('goes over TLS on both sides', async () => {
    shop.get = ({ request }, done) => done(null, request);
    const other = grpcClient(gateway.ports.tls!, authority.ca);
    expect((await get(other, { id: 'secret' })).order).toMatchObject({ id: 'secret' });
    other.close();
  });

  it('is one of 200 at once, on one connection of the gateway', async () => {
    shop.get = ({ request }, done) => void setImmediate(() => done(null, request));
    const all = Array.from({ length: 200 }, (_, i) =>
      get(client, { id: `n${i}`, content: Buffer.alloc(1000) }),
    );
    expect((await Promise.all(all)).map(({ order }) => order?.id)).toEqual(all.map((_, i) => `n${i}`));
  });
});

describe('a call with a stream of answers', () => {
  it('brings each as it comes, and its status at the end', async () => {
    const written: Chat[] = [];
    shop.watch = (stream) => void written.push(stream as unknown as Chat);
    const watch = client.watch({ id: 'a' });
    const all = collected(watch);
    const [stream] = await until(() => (written.length > 0 ? written : null), 'the call');
    for (let count = 0; count < 3; count++) {
      const came = nextOf(watch);
      stream!.write({ count });
      expect(await came).toMatchObject({ count });
    }
    stream!.end();
    const { orders, status: last } = await all;
    expect(orders.map(({ count }) => count)).toEqual([0, 1, 2]);
    expect(last.code).toBe(status.OK);
  });

  it('that fails half-way has what came before, then the status', async () => {
    shop.watch = (stream) => {
      stream.write({ count: 1 });
      stream.emit('error', { code: status.DATA_LOSS, details: 'lost' });
    };
    const { orders, status: last } = await collected(client.watch({ id: 'a' }));
    expect(orders).toHaveLength(1);
    expect(last).toMatchObject({ code: status.DATA_LOSS, details: 'lost' });
  });

  it('that its client does not read holds the service back', async () => {
    let written = 0;
    let blocked = false;
    shop.watch = (stream) => {
      const more = () => {
        blocked = false;
        while (written < 200) {
          written++;
          if (!stream.write({ content: Buffer.alloc(32_768) })) {
            blocked = true;
            return void stream.once('drain', more);
          }
        }
        stream.end();
      };
      more();
    };
    const watch = client.watch({ id: 'a' });
    await nextOf(watch);
    watch.pause();
    await until(() => blocked, 'the service to be held back');
    await standsStill(() => written, 'the service');
    expect(written).toBeLessThan(100);
    const all = collected(watch);
    watch.resume();
    expect((await all).orders).toHaveLength(199);
  });

  it('that its client leaves ends at the service', async () => {
    let left = false;
    shop.watch = (stream) => {
      stream.write({ count: 1 });
      stream.on('cancelled', () => {
        left = true;
      });
    };
    const watch = client.watch({ id: 'a' });
    watch.on('error', () => {});
    await nextOf(watch);
    watch.cancel();
    await until(() => left, 'the service to be told');
  });
});

describe('a call with a stream of requests', () => {
  it('is answered once all of them are there', async () => {
    shop.upload = (stream, done) => {
      let count = 0;
      stream.on('data', (order: Order) => {
        count += order.count;
      });
      stream.on('end', () => done(null, { count }));
    };
    const got = await outcome((done) => {
      const upload = client.upload(new Metadata(), {}, done);
      for (const count of [1, 2, 3]) upload.write({ count });
      upload.end();
      return upload;
    });
    expect(got.order).toMatchObject({ count: 6 });
  });

  it('may be answered before, and then is over', async () => {
    shop.upload = (stream, done) => {
      stream.once('data', () => done({ code: status.RESOURCE_EXHAUSTED, details: 'enough' }));
    };
    const got = await outcome((done) => {
      const upload = client.upload(new Metadata(), {}, done);
      upload.write({ count: 1 });
      return upload;
    });
    expect(got.error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'enough' });
  });

  it('over maxBody of the route is refused', async () => {
    shop.upload = (stream, done) => {
      stream.on('data', () => {});
      stream.on('end', () => done(null, {}));
    };
    const got = await outcome((done) => {
      const upload = client.upload(new Metadata(), {}, done);
      for (let i = 0; i < 40; i++) upload.write({ content: Buffer.alloc(32_768) });
      upload.end();
      return upload;
    });
    expect(got.error!.code).not.toBe(status.OK);
  });
});

describe('a call with streams both ways', () => {
  it('goes to and fro: each message is answered before the next is sent', async () => {
    shop.chat = (stream) => {
      stream.on('data', ({ count }: Order) => stream.write({ count: count + 1 }));
      stream.on('end', () => stream.end());
    };
    const chat = client.chat();
    const all = collected(chat);
    for (let count = 0; count < 20; count += 2) {
      const came = nextOf(chat);
      chat.write({ count });
      expect(await came).toMatchObject({ count: count + 1 });
    }
    chat.end();
    expect((await all).status.code).toBe(status.OK);
  });

  it('may be begun by the service, before its client has said anything', async () => {
    shop.chat = (stream) => {
      stream.write({ id: 'welcome' });
      stream.on('data', () => {});
      stream.on('end', () => stream.end());
    };
    const chat = client.chat();
    const all = collected(chat);
    expect(await nextOf(chat)).toMatchObject({ id: 'welcome' });
    chat.end();
    expect((await all).status.code).toBe(status.OK);
  });

  it('may be ended by the service alone, and by its client alone', async () => {
    let cancelled = false;
    shop.chat = (stream) => {
      stream.on('cancelled', () => {
        cancelled = true;
      });
      stream.on('data', ({ id }: Order) => {
        if (id === 'bye') stream.end();
        else stream.write({ id });
      });
    };
    const first = client.chat();
    const over = collected(first);
    first.write({ id: 'bye' });
    expect((await over).status.code).toBe(status.OK);
    const second = client.chat();
    second.on('error', () => {});
    second.write({ id: 'hello' });
    await nextOf(second);
    second.cancel();
    await until(() => cancelled, 'the service to be told');
  });
});
