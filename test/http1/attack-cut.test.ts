import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Certificates,
  certificates,
  Gate,
  ManualClock,
  type OriginExchange,
  type RawClient,
  rawClient,
  type ScriptedOriginOptions,
  scriptedOrigin,
  standsStill,
  startTestGateway,
  type TestGateway,
  tempFolder,
  turn,
  until,
} from '../../src/testkit/index.ts';
import type { Clock } from '../../src/util/clock.ts';
import { post, request, type Stage, stage } from './stage.ts';

/** Ninety-six gateways and 400 MB take a busy machine a while; ms. */
const A_CROWD = 60_000;
const KIB = 1024;
const MIB = KIB * KIB;
/** Clients that take nothing at first. So many sizes that for some the end of the answer waits in the gateway. */
const SIZES = Array.from({ length: 96 }, (_, i) => Math.round(3.6 * MIB) + i * 17 * KIB);

type FramedBy = 'length' | 'close' | 'chunked';

/** Answers `/N` with N bytes, and ends its connection with them. */
function sized(framing: FramedBy, last: boolean) {
  return (exchange: OriginExchange) => {
    const size = Number(exchange.request.target.slice(1));
    const heads = {
      length: `Content-Length: ${size}\r\n\r\n`,
      close: '\r\n',
      chunked: `Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
    };
    const { socket } = exchange.connection;
    socket.cork();
    socket.write(`HTTP/1.1 200 OK\r\n${heads[framing]}`);
    socket.write(Buffer.alloc(size, 'x'));
    if (framing === 'chunked') socket.write('\r\n0\r\n\r\n');
    socket.uncork();
    if (last) exchange.connection.end();
  };
}

interface Crowd {
  clients: { size: number; client: RawClient; gateway: TestGateway }[];
  close(): Promise<void>;
}

/** One client a size, each with a gateway of its own and its answer stuck on the way: it takes no byte of it. */
async function crowd(
  framing: FramedBy,
  more: {
    headers?: string[];
    clock?: Clock;
    tls?: ScriptedOriginOptions['tls'];
    limits?: Record<string, string>;
  },
): Promise<Crowd> {
  const { headers = [], clock, tls, limits = {} } = more;
  const origin = await scriptedOrigin(sized(framing, tls !== undefined), tls === undefined ? {} : { tls });
  const service =
    tls === undefined
      ? { url: origin.url }
      : { url: origin.url.replace('http:', 'https:'), tls: { verify: false } };
  const config = {
    listen: [{ name: 'front', address: '127.0.0.1:0', limits }],
    drain: { delay: '0s', timeout: '15s' },
    services: { origin: { ...service, timeout: { connect: '10s' } } },
    routes: { all: { match: '/*', to: 'origin' } },
  };
  const clients = await Promise.all(
    SIZES.map(async (size) => {
      const gateway = await startTestGateway(config, clock === undefined ? {} : { clock });
      const client = await rawClient({ port: gateway.port, patience: A_CROWD });
      client.pause();
      await client.send(request(`GET /${size} HTTP/1.1`, ['Host: a', ...headers]));
      return { size, client, gateway };
    }),
  );
  await until(() => origin.requests.length >= SIZES.length, 'the requests to arrive', A_CROWD);
  // Until nothing moves any more: the service's sockets are drained, or stuck.
  const written = () =>
    origin.connections.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0);
  await standsStill(written, 'the bytes');
  return {
    clients,
    async close() {
      for (const { client } of clients) client.close();
      await Promise.all(clients.map(({ gateway }) => gateway.close()));
      await origin.close();
    },
  };
}

/** The sizes whose answer did not come whole. */
async function cutOnes({ clients }: Crowd): Promise<number[]> {
  const outcomes = await Promise.all(
    clients.map(async ({ size, client }) => {
      client.resume();
      try {
        return (await client.response()).body.length === size ? [] : [size];
      } catch {
        return [size];
      } finally {
        client.end();
      }
    }),
  );
  return outcomes.flat();
}

describe('a client that reads slowly gets its answer whole', { timeout: 2 * A_CROWD }, () => {
  let all: Crowd | undefined;
  afterEach(async () => {
    await all?.close();
    all = undefined;
  });

  it('though its connection ends with it: what it has not taken yet counts as under way', async () => {
    const clock = new ManualClock();
    all = await crowd('length', { clock, headers: ['Connection: close'] });
    // Longer than the gateway waits for a FIN behind an answer, shorter than sendTimeout.
    clock.advance(20_000);
    await turn();
    expect(await cutOnes(all)).toEqual([]);
  });

  it('though the gateway drains meanwhile', async () => {
    all = await crowd('length', {});
    const draining = Promise.all(all.clients.map(({ gateway }) => gateway.close()));
    const begun = performance.now();
    await until(() => performance.now() - begun > 200, 'the gateways to have looked a few times');
    expect(await cutOnes(all)).toEqual([]);
    await draining;
  });

  it('though nothing else was asked on its connection for idleTimeout', async () => {
    const clock = new ManualClock();
    all = await crowd('length', { clock, limits: { idleTimeout: '5s' } });
    clock.advance(20_000);
    await turn();
    expect(await cutOnes(all)).toEqual([]);
  });
});

describe('a service over TLS that ends while a slow client holds its answer', {
  timeout: 2 * A_CROWD,
}, () => {
  const folder = tempFolder();
  let authority: Certificates;
  let all: Crowd | undefined;
  beforeAll(async () => {
    authority = await certificates();
  });
  afterEach(async () => {
    await all?.close();
    all = undefined;
  });
  afterAll(() => folder.close());

  it.each(['length', 'close', 'chunked'] as const)('loses nothing of it (framed by %s)', async (framing) => {
    all = await crowd(framing, { tls: await authority.leaf(['127.0.0.1']) });
    expect(await cutOnes(all)).toEqual([]);
  });
});

describe('an answer under way', { timeout: 2 * A_CROWD }, () => {
  let on: Stage;
  afterEach(() => on.close());

  it('is not cut because its client pauses its upload', async () => {
    const clock = new ManualClock();
    on = await stage({ clock });
    const gate = new Gate();
    on.origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
      await gate.opened;
      await exchange.send('full');
    });
    const client = await on.client();
    await client.send(post(['Content-Length: 100'], 'part'));
    await client.head();
    expect((await client.bytes(4)).toString()).toBe('half');
    // Longer than bodyTimeout and sendTimeout, shorter than timeout.idle of the service.
    clock.advance(45_000);
    gate.open();
    expect((await client.bytes(4)).toString()).toBe('full');
  });

  it('that was cut ends in a reset for an HTTP/1.0 client, whatever framed it', async () => {
    on = await stage();
    on.origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
      exchange.connection.end();
    });
    const client = await on.client();
    await client.send(request('GET / HTTP/1.0'));
    await client.head();
    expect(await client.closed()).toBe('reset');
  });
});
