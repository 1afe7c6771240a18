import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Certificates,
  certificates,
  headerValue,
  ManualClock,
  type OriginExchange,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  seededRandom,
  startTestGateway,
  type TestGateway,
  turn,
  until,
} from '../../src/testkit/index.ts';
import { request } from './stage.ts';

const BLOCK = 3 * 2 ** 20;
const random = seededRandom(20_261_125);
/** Bytes without a repeat: a piece in a wrong place changes the hash. */
const bytes = Buffer.from(Array.from({ length: BLOCK }, () => random.below(256)));

const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, random.below(4)));

/** A size of any magnitude: few bytes as likely as megabytes. */
function anySize(): number {
  return Math.floor(2 ** (random.below(2150) / 100));
}

function piece(size: number): Buffer {
  const from = random.below(BLOCK - size + 1);
  return bytes.subarray(from, from + size);
}

/** Cuts content into chunks of any sizes. */
function chunked(content: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const size = Math.min(content.length - at, anySize());
    out.push(Buffer.from(`${size.toString(16)}\r\n`), content.subarray(at, at + size), Buffer.from('\r\n'));
    at += size;
  }
  out.push(Buffer.from('0\r\n\r\n'));
  return out;
}

/** Tells the hash of what it got, and answers as many bytes as the path says, framed as it says. */
async function echoHash(exchange: OriginExchange): Promise<void> {
  const [, size, framing] = exchange.request.target.split('/');
  if (!(await exchange.request.complete)) {
    // Its client left; what came of the body is no request.
    exchange.takeOver();
    return;
  }
  const got = hash(exchange.request.body);
  const content = piece(Number(size));
  const { socket } = exchange.connection;
  const head = `HTTP/1.1 200 OK\r\nx-got: ${got}\r\nx-sent: ${hash(content)}\r\n`;
  if (framing === 'length') {
    socket.write(`${head}Content-Length: ${content.length}\r\n\r\n`);
    for (let at = 0; at < content.length; ) {
      const to = Math.min(content.length, at + anySize());
      await exchange.send(content.subarray(at, to));
      if (random.below(4) === 0) await pause();
      at = to;
    }
  } else {
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (const part of chunked(content)) {
      await exchange.send(part);
      if (random.below(12) === 0) await pause();
    }
  }
}

async function oneClient(gateway: TestGateway, rounds: number): Promise<void> {
  await using client = await rawClient({ port: gateway.port, patience: 15_000 });
  const stutter = setInterval(() => (random.below(3) === 0 ? client.pause() : client.resume()), 2);
  try {
    for (let round = 0; round < rounds; round++) {
      const pipelined = random.below(3) === 0 ? 3 : 1;
      const sent: string[] = [];
      const parts: Buffer[] = [];
      for (let i = 0; i < pipelined; i++) {
        const content = piece(pipelined > 1 ? Math.min(anySize(), 5_000) : anySize());
        const asChunks = random.below(2) === 0;
        const size = anySize();
        const framing = random.below(2) === 0 ? 'length' : 'chunked';
        const how = asChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${content.length}`;
        const method = random.below(2) === 0 ? 'POST' : 'PUT';
        parts.push(Buffer.from(request(`${method} /${size}/${framing} HTTP/1.1`, ['Host: a', how])));
        parts.push(...(asChunks ? chunked(content) : [content]));
        sent.push(hash(content));
      }
      const sending = client.send(Buffer.concat(parts));
      for (const expected of sent) {
        const response = await client.response();
        expect(response.status).toBe(200);
        expect(headerValue(response, 'x-got')).toBe(expected);
        expect(hash(response.body)).toBe(headerValue(response, 'x-sent'));
      }
      await sending;
    }
  } finally {
    clearInterval(stutter);
  }
}

/** Leaves in the middle of things. */
async function oneQuitter(gateway: TestGateway): Promise<void> {
  const client = await rawClient({ port: gateway.port });
  const content = piece(anySize());
  await client.send(
    request(`POST /${anySize()}/chunked HTTP/1.1`, ['Host: a', `Content-Length: ${content.length + 1}`]),
  );
  await Promise.race([client.send(content), pause()]);
  await pause();
  if (random.below(2) === 0) client.reset();
  else client.close();
}

describe('bodies under pauses, pipelining and broken connections', () => {
  let origin: ScriptedOrigin;
  let gateway: TestGateway;
  let authority: Certificates | undefined;
  afterEach(async () => {
    await gateway.close();
    await origin.close();
  });

  it.each(['http', 'https'] as const)(
    'keep every byte in its place (service over %s)',
    async (scheme) => {
      authority = scheme === 'https' ? await certificates() : undefined;
      const pair = await authority?.leaf(['127.0.0.1']);
      origin = await scriptedOrigin(echoHash, pair === undefined ? {} : { tls: pair });
      gateway = await startTestGateway({
        services: {
          origin: {
            url: origin.url.replace('http:', `${scheme}:`),
            tls: { verify: false },
            pool: { connections: 12 },
            timeout: { connect: '10s' },
          },
        },
        routes: { all: { match: '/*', to: 'origin' } },
      });
      const clients = Array.from({ length: 16 }, () => oneClient(gateway, 8));
      for (let i = 0; i < 60; i++) {
        await oneQuitter(gateway);
        await pause();
      }
      await Promise.all(clients);
      expect(origin.violations).toEqual([]);
    },
    60_000,
  );
});

describe('an exchange that ends in any way', () => {
  type Way = 'reset' | 'fin' | 'time';
  const SERVICE = [
    'silent',
    'partHead',
    'headOnly',
    'partBody',
    'chunks',
    'closes',
    'resets',
    'interim',
    'tunnel',
  ] as const;
  const CLIENT = ['get', 'upload', 'paused', 'pipelined', 'partHead', 'expects'] as const;
  const rows = SERVICE.flatMap((service) =>
    CLIENT.flatMap((client) =>
      (['reset', 'fin', 'time'] as Way[]).map((way) => [service, client, way] as const),
    ),
  );

  it.each(rows)(
    'service %s, client %s, ended by %s: leaves no socket and no timer',
    async (service, kind, way) => {
      const clock = new ManualClock();
      const origin = await scriptedOrigin(async ({ connection }) => {
        const { socket } = connection;
        const upgrade = 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
        const scripts: Record<(typeof SERVICE)[number], () => void> = {
          silent() {},
          partHead: () => void socket.write('HTTP/1.1 200 OK\r\nContent-Le'),
          headOnly: () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
          partBody: () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'),
          chunks: () =>
            void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'),
          closes: () => connection.end(),
          resets: () => connection.reset(),
          interim: () => void socket.write('HTTP/1.1 103 Early\r\n\r\n'),
          tunnel: () => void socket.write(upgrade),
        };
        scripts[service]();
        await new Promise<void>(() => {});
      });
      const gateway = await startTestGateway(
        { services: { origin: { url: origin.url } }, routes: { all: { match: '/*', to: 'origin' } } },
        { clock },
      );
      const idle = clock.pending;
      const client = await rawClient(gateway.port);
      const upgrade = ['Host: a', 'Connection: upgrade', 'Upgrade: websocket'];
      const sends: Record<(typeof CLIENT)[number], string> = {
        get: request('GET / HTTP/1.1', upgrade),
        upload: request('PUT / HTTP/1.1', ['Host: a', 'Content-Length: 100'], 'part'),
        paused: request('GET / HTTP/1.1', upgrade),
        pipelined: request('GET / HTTP/1.1') + request('GET / HTTP/1.1'),
        partHead: `${request('GET / HTTP/1.1')}GET / HT`,
        expects: request('POST / HTTP/1.1', ['Host: a', 'Content-Length: 9', 'Expect: 100-continue']),
      };
      try {
        if (kind === 'paused') client.pause();
        await client.send(sends[kind]);
        await until(() => origin.requests.length > 0, 'the request to arrive');
        await turn();
        if (way === 'reset') client.reset();
        if (way === 'fin') client.end();
        const gone = await until(
          async () => {
            if (way === 'time' || way === 'fin') clock.advance(15_000);
            await new Promise((resolve) => setImmediate(resolve));
            const left = origin.connections.filter(
              ({ socket }) => !socket.destroyed && !socket.readableEnded,
            );
            return clock.pending === idle && left.length === 0;
          },
          'all timers and sockets to be gone',
          3_000,
        );
        expect(gone).toBe(true);
        client.resume();
      } finally {
        client.close();
        await gateway.close();
        await origin.close();
      }
    },
  );
});
