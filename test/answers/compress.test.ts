import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate, rawClient, until } from '../../src/testkit/index.ts';
import { header, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const TEXT = JSON.stringify(
  Array.from({ length: 400 }, (_, i) => ({ id: i, name: `product ${i}`, price: i * 3 })),
);
const JSON_TYPE: [string, string] = ['Content-Type', 'application/json'];

async function setUp(
  headers: [string, string][] = [JSON_TYPE],
  body = TEXT,
  status = 200,
  compress: unknown = true,
): Promise<void> {
  on = await stage(
    { main: answer(status, headers, body) },
    { routes: { all: { match: '/*', to: 'main', compress } } },
  );
}

const ask = (accept: string, line = 'GET /x') => on.ask(line, [`Accept-Encoding: ${accept}`]);

/** False once a socket has moved nothing for a while of turns. */
async function idle(socket: Socket): Promise<false> {
  let turns = 0;
  let before = socket.bytesWritten - socket.writableLength;
  await until(() => {
    const now = socket.bytesWritten - socket.writableLength;
    turns = now === before ? turns + 1 : 0;
    before = now;
    return turns > 200;
  }, 'it goes on moving');
  return false;
}

describe('compress', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['br', 'br', brotliDecompressSync],
    ['zstd', 'zstd', zstdDecompressSync],
    ['gzip, br;q=0.5', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
    ['gzip;q=0, *', 'br', brotliDecompressSync],
    ['identity;q=0.5, gzip;q=0.8', 'gzip', gunzipSync],
  ])('Accept-Encoding: %s gets %s', async (accept, coding, decode) => {
    await setUp();
    const response = await ask(accept);
    expect(header(response, 'content-encoding')).toBe(coding);
    expect(header(response, 'vary')).toBe('Accept-Encoding');
    expect(decode(response.body).toString()).toBe(TEXT);
    expect(response.body.length).toBeLessThan(TEXT.length / 3);
  });

  it.each(['', 'identity', 'deflate', 'gzip;q=0', 'identity, gzip;q=0.5'])(
    'Accept-Encoding: "%s" gets it as it is, and Vary all the same',
    async (accept) => {
      await setUp();
      const response = await ask(accept);
      expect([
        header(response, 'content-encoding'),
        header(response, 'vary'),
        response.body.toString(),
      ]).toEqual([undefined, 'Accept-Encoding', TEXT]);
    },
  );

  it.each(['GET', 'HEAD'])('%s: what has no bytes has no coding, however small the bound', async (method) => {
    await setUp([JSON_TYPE], '', 200, { minSize: '0B' });
    const response = await ask('gzip', `${method} /x`);
    expect([header(response, 'content-encoding'), header(response, 'content-length')]).toEqual([
      undefined,
      '0',
    ]);
  });

  const NEVER: [string, [string, string][], number?][] = [
    ['an event stream', [['Content-Type', 'text/event-stream']]],
    ['an event stream in capitals', [['Content-Type', 'Text/Event-Stream;charset=utf-8']]],
    ['a picture', [['Content-Type', 'image/png']]],
    ['no-transform', [JSON_TYPE, ['Cache-Control', 'public, no-transform']]],
    ['what is coded already', [JSON_TYPE, ['Content-Encoding', 'x-own']]],
    ['a range', [JSON_TYPE, ['Content-Range', 'bytes 0-9/100']], 206],
  ];
  it.each(NEVER)('never %s', async (_, headers, status = 200) => {
    await setUp(headers, TEXT, status);
    const response = await ask('gzip');
    expect(response.body.toString()).toBe(TEXT);
  });

  it('a range says Vary as the whole answer would (RFC 9110 §15.3.7)', async () => {
    await setUp([JSON_TYPE, ['Content-Range', 'bytes 0-9/100']], TEXT, 206);
    expect(header(await ask('gzip'), 'vary')).toBe('Accept-Encoding');
  });

  it('never one that is small', async () => {
    await setUp([JSON_TYPE], '{"a":1}');
    expect((await ask('gzip')).body.toString()).toBe('{"a":1}');
  });

  it('weakens a strong ETag, and takes away what speaks of the plain bytes', async () => {
    await setUp([JSON_TYPE, ['ETag', '"v1"'], ['Accept-Ranges', 'bytes']]);
    const response = await ask('gzip');
    expect([header(response, 'etag'), header(response, 'accept-ranges')]).toEqual(['W/"v1"', undefined]);
    expect(Number(header(response, 'content-length'))).toBe(response.body.length);
  });

  it('HEAD says what GET would', async () => {
    on = await stage(
      {
        main: async (exchange) =>
          exchange.send(
            `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "v1"\r\nContent-Length: ${TEXT.length}\r\n\r\n`,
          ),
      },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    const response = await ask('gzip', 'HEAD /x');
    expect([
      header(response, 'content-encoding'),
      header(response, 'etag'),
      header(response, 'content-length'),
    ]).toEqual(['gzip', 'W/"v1"', undefined]);
  });

  it('what a slow stream has sent arrives before its next piece', async () => {
    const gate = new Gate();
    on = await stage(
      {
        main: async ({ connection }) => {
          await connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
          );
          await gate.opened;
          await connection.send('6\r\nsecond\r\n0\r\n\r\n');
        },
      },
      { routes: { all: { match: '/*', to: 'main', compress: { minSize: '1B' } } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
    const head = await client.head();
    expect(head.headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1]).toBe('gzip');
    // The first piece, flushed, comes while the second is held back.
    const plain = createGunzip();
    let seen = '';
    plain.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    while (seen === '') {
      const size = Number.parseInt(await client.line(), 16);
      plain.write((await client.bytes(size + 2)).subarray(0, size));
      await new Promise((resolve) => plain.flush(() => resolve(null)));
    }
    expect(seen).toBe('first');
    gate.open();
    client.close();
  });

  it('a large body is compressed as it passes', async () => {
    const large = TEXT.repeat(60);
    await setUp([JSON_TYPE], large);
    expect(gunzipSync((await ask('gzip')).body).toString()).toBe(large);
  });

  it('a body that breaks off is cut for the client too', async () => {
    on = await stage(
      {
        main: async ({ connection }) => {
          await connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\nhalf',
          );
          connection.end();
        },
      },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    await expect(ask('gzip')).rejects.toThrow();
  });

  it('a client that leaves ends the answer of the service', async () => {
    on = await stage(
      {
        main: async ({ connection }) => {
          await connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
          );
        },
      },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n');
    await client.head();
    client.reset();
    await on.origins.main!.connections[0]!.closed();
  });

  it('a client that does not read holds the service back', async () => {
    // What can't be compressed fills every buffer on the way.
    const noise = randomBytes(64 * 1024);
    let sent = 0;
    let blocked = false;
    on = await stage(
      {
        main: async ({ connection }) => {
          await connection.send(
            'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n',
          );
          while (!blocked) {
            const taken = connection.send(noise).then(() => true);
            blocked = !(await Promise.race([taken, idle(connection.socket)]));
            sent += noise.length;
          }
        },
      },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
    await client.head();
    client.pause();
    await until(() => blocked, 'the service is never held back');
    expect(sent).toBeLessThan(100_000_000);
    client.close();
  });

  it('a 304 says nothing of the length and digest of the plain bytes to who holds coded ones', async () => {
    on = await stage(
      {
        main: ({ connection }) =>
          connection.send(
            'HTTP/1.1 304 Not Modified\r\nContent-Length: 3000\r\nRepr-Digest: sha-256=:AA==:\r\n\r\n',
          ),
      },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    const coded = await ask('gzip');
    expect([header(coded, 'content-length'), header(coded, 'repr-digest')]).toEqual([undefined, undefined]);
    expect(header(await ask('identity'), 'content-length')).toBe('3000');
  });

  it("a 304 does not make the coded answer's validator a strong one again", async () => {
    on = await stage(
      { main: answer(304, [['ETag', '"v1"']], '') },
      { routes: { all: { match: '/*', to: 'main', compress: true } } },
    );
    const coded = await ask('gzip');
    expect([header(coded, 'etag'), header(coded, 'vary')]).toEqual(['W/"v1"', 'Accept-Encoding']);
    expect(header(await ask('identity'), 'etag')).toBe('"v1"');
  });

  it('transforms come first, and take nothing of the coding away', async () => {
    on = await stage(
      { main: answer(200, [JSON_TYPE, ['X-Inner', '1']], TEXT) },
      {
        routes: {
          only: {
            match: '/only',
            to: 'main',
            compress: true,
            response: { headers: { only: ['content-type'] } },
          },
          plain: {
            match: '/plain',
            to: 'main',
            compress: true,
            response: { headers: { set: { 'cache-control': 'no-transform' } } },
          },
        },
      },
    );
    const only = await ask('gzip', 'GET /only');
    expect([header(only, 'content-encoding'), header(only, 'vary'), header(only, 'x-inner')]).toEqual([
      'gzip',
      'Accept-Encoding',
      undefined,
    ]);
    expect((await ask('gzip', 'GET /plain')).body.toString()).toBe(TEXT);
  });

  it('types and minSize replace the usual ones; none and false take it away', async () => {
    on = await stage(
      { main: answer(200, [['Content-Type', 'application/vnd.own']], 'x'.repeat(300)) },
      {
        defaults: { compress: { minSize: '200B', types: 'application/vnd.own' } },
        routes: {
          a: { match: '/a', to: 'main' },
          b: { match: '/b', to: 'main', compress: 'none' },
          c: { match: '/c', to: 'main', compress: false },
          d: { match: '/d', to: 'main', compress: true },
        },
      },
    );
    const codings = [];
    for (const path of ['/a', '/b', '/c', '/d'])
      codings.push(header(await ask('gzip', `GET ${path}`), 'content-encoding'));
    expect(codings).toEqual(['gzip', undefined, undefined, undefined]);
  });

  it("compresses the gateway's own errors where they are long enough, and HTTP/1.0 gets them to the end", async () => {
    on = await stage(
      {},
      {
        services: { gone: { url: 'http://127.0.0.1:1' } },
        routes: { all: { match: '/*', to: 'gone', compress: { minSize: '1B' } } },
      },
    );
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /x HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n');
    const response = await client.response();
    expect(JSON.parse(gunzipSync(response.body).toString())).toMatchObject({ code: 'TG_UPSTREAM_REFUSED' });
    client.close();
  });

  it('compresses what the gateway answers itself', async () => {
    on = await stage(
      {},
      { routes: { all: { match: '/*', respond: { body: 'x'.repeat(5000) }, compress: true } } },
    );
    expect(gunzipSync((await ask('gzip')).body).toString()).toBe('x'.repeat(5000));
  });
});
