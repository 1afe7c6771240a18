import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  Gate,
  http2Origin,
  httpOrigin,
  type RawClient,
  rawClient,
  type SeededRandom,
  seededRandom,
  startTestGateway,
  until,
} from '../../src/testkit/index.ts';

const KIB = 1024;
const MIB = KIB * KIB;
/** Around what one read holds, and many of it. */
const SIZES = [1, 100, 4 * KIB, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 200 * KIB, 700 * KIB, 2 * MIB];
const PLACES = ['/', '/slow', '/replayed/', '/replayed/slow', '/http2/', '/http2/slow'];

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function hashed(content: Readable, isSlow: boolean): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) {
    hash.update(chunk as Buffer);
    if (isSlow) await pause(2);
  }
  return hash.digest('hex');
}

/** No two places of it are alike, nor any place of two of them. */
function pattern(size: number, random: SeededRandom): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  const first = random.below(2 ** 31);
  for (let i = 0; i < words.length; i++) words[i] = first + i * 2654435761;
  return Buffer.from(words.buffer, 0, size);
}

function chunked(body: Buffer, random: SeededRandom): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + random.below(100 * KIB));
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

function posted(path: string, body: Buffer, random: SeededRandom): Buffer {
  const isChunked = random.below(2) === 0;
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const head = Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
  return Buffer.concat([head, isChunked ? chunked(body, random) : body]);
}

/** Sends it cut anywhere. */
async function sendInPieces(client: RawClient, bytes: Buffer, random: SeededRandom): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + 1 + random.below(300 * KIB));
    await client.send(piece);
    at += piece.length;
    if (random.below(4) === 0) await pause(random.below(4));
  }
}

/** Sends up to three requests in a row; each answer is the hash of what the service got. */
async function exchange(client: RawClient, random: SeededRandom): Promise<void> {
  const bodies = Array.from({ length: 1 + random.below(3) }, () => pattern(random.pick(SIZES), random));
  const requests = bodies.map((body) => posted(random.pick(PLACES), body, random));
  const sending = sendInPieces(client, Buffer.concat(requests), random);
  const answers: string[] = [];
  for (const _ of bodies) answers.push((await client.response()).body.toString());
  await sending;
  expect(answers).toEqual(bodies.map(hashOf));
}

describe('connections that read into the same memory', () => {
  it.each([1, 2, 3])(
    'never get at one another’s bytes (seed %i)',
    async (seed) => {
      await using service = await httpOrigin(async (incoming, response) => {
        response.end(await hashed(incoming, incoming.url!.includes('slow')));
      });
      await using http2 = await http2Origin(async ({ stream, headers }) => {
        const hash = await hashed(stream, headers[':path']!.includes('slow'));
        stream.respond({ ':status': 200 });
        stream.end(hash);
      });
      await using gateway = await startTestGateway({
        services: { origin: { url: service.url }, http2: { url: http2.url.replace('http:', 'h2c:') } },
        routes: {
          replayed: { match: '/replayed/*', to: 'origin', retries: { on: [503], methods: ['POST'] } },
          http2: { match: '/http2/*', to: 'http2' },
          all: { match: '/*', to: 'origin' },
        },
      });
      const talk = async (number: number) => {
        const random = seededRandom(seed * 1000 + number);
        await using client = await rawClient({ port: gateway.port, patience: 60_000 });
        for (let round = 0; round < 4; round++) await exchange(client, random);
      };
      await Promise.all(Array.from({ length: 20 }, (_, number) => talk(number)));
    },
    120_000,
  );

  it('leave alone what waits for a service that takes nothing', async () => {
    const gate = new Gate();
    await using service = await httpOrigin(async (incoming, response) => {
      if (incoming.url === '/stuck') await gate.opened;
      response.end(await hashed(incoming, false));
    });
    await using gateway = await startTestGateway({
      services: { origin: { url: service.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
    const upload = async (path: string, size: number, seed: number) => {
      const random = seededRandom(seed);
      const body = pattern(size, random);
      await using client = await rawClient({ port: gateway.port, patience: 60_000 });
      const sending = client.send(posted(path, body, random));
      expect((await client.response()).body.toString()).toBe(hashOf(body));
      await sending;
    };
    const stuck = Array.from({ length: 6 }, (_, seed) => upload('/stuck', 16 * MIB, seed));
    await until(() => service.count() === 6, 'the uploads to begin');
    for (let seed = 10; seed < 30; seed++) await upload('/', 300 * KIB, seed);
    gate.open();
    await Promise.all(stuck);
  }, 120_000);

  it('give each tunnel what was sent to it', async () => {
    await using service = await httpOrigin(() => {});
    service.server.on('upgrade', (_incoming, socket, ahead) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(ahead);
      socket.pipe(socket);
    });
    await using gateway = await startTestGateway({
      services: { origin: { url: service.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
    const talk = async (number: number) => {
      const random = seededRandom(number);
      await using client = await rawClient({ port: gateway.port, patience: 60_000 });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      expect((await client.head()).status).toBe(101);
      for (const size of random.shuffle(SIZES)) {
        const bytes = pattern(size, random);
        const sending = client.send(bytes);
        expect(hashOf(await client.bytes(size))).toBe(hashOf(bytes));
        await sending;
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, number) => talk(number)));
  }, 120_000);
});
