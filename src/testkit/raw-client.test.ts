import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { certificates, headerValue, rawClient } from './index.ts';

const open: (() => void)[] = [];
afterEach(() => open.splice(0).forEach((close) => void close()));

async function serve(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    open.push(() => socket.destroy());
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  return (server.address() as { port: number }).port;
}

async function answered(bytes: string, then: (socket: Socket) => void = () => {}) {
  const port = await serve((socket) => socket.write(bytes, 'latin1', () => then(socket)));
  const client = await rawClient({ port, patience: 500 });
  open.push(() => client.close());
  return client;
}

describe('a raw client', () => {
  it('reads status, headers in their spelling, body and framing', async () => {
    const client = await answered('HTTP/1.1 200 All right\r\nX-One: a b \r\nContent-Length: 2\r\n\r\nhi');
    const response = await client.response();
    expect(response).toMatchObject({ version: '1.1', status: 200, reason: 'All right', framing: 'length' });
    expect(response.headers).toEqual([
      ['X-One', 'a b'],
      ['Content-Length', '2'],
    ]);
    expect(headerValue(response, 'x-one')).toBe('a b');
    expect(response.body.toString()).toBe('hi');
  });

  it('keeps the bytes of the next answer for the next call', async () => {
    const client = await answered('HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx');
    expect((await client.response()).status).toBe(204);
    const second = await client.response();
    expect(second.body.toString()).toBe('x');
    expect(second.raw.toString()).toMatch(/^HTTP\/1\.1 200/);
  });

  it('reads chunks with trailers and lists interim answers', async () => {
    const client = await answered(
      'HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n',
    );
    const response = await client.response();
    expect(response.interim.map((head) => head.status)).toEqual([103]);
    expect(response.body.toString()).toBe('abc0123456789');
    expect(response.trailers).toEqual([['x-sum', '1']]);
  });

  it('expects no body after HEAD and 304, whatever their lengths say', async () => {
    const client = await answered(
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHTTP/1.1 304 Not\r\ncontent-length: 5\r\n\r\n',
    );
    expect((await client.response('HEAD')).body.length).toBe(0);
    expect((await client.response()).status).toBe(304);
  });

  it('reads a body without framing up to FIN, and refuses one cut by RST', async () => {
    const whole = await answered('HTTP/1.1 200 OK\r\n\r\nall of it', (socket) => socket.end());
    expect((await whole.response()).body.toString()).toBe('all of it');
    const cut = await answered('HTTP/1.1 200 OK\r\n\r\npart', (socket) =>
      setImmediate(() => socket.resetAndDestroy()),
    );
    await expect(cut.response()).rejects.toThrow(/ended by reset/);
  });

  it.each([
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    [
      'a length beside a coding',
      'HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n'],
    ['a signed length', 'HTTP/1.1 200 OK\r\ncontent-length: +0\r\n\r\n'],
    [
      'a chunk that is longer than it says',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n',
    ],
    ['a length in 204', 'HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ])('refuses an answer with %s', async (_, bytes) => {
    const client = await answered(bytes);
    await expect(client.response()).rejects.toThrow(/not valid HTTP/);
  });

  it('says what arrived so far when an answer does not come whole', async () => {
    const client = await answered('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    await expect(client.response()).rejects.toThrow(/a whole response did not come.*still open.*half/s);
  });

  it('tells FIN from RST', async () => {
    const fin = await answered('', (socket) => socket.end());
    expect(await fin.closed()).toBe('fin');
    const port = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const reset = await rawClient(port);
    await reset.send('x');
    expect(await reset.closed()).toBe('reset');
  });

  it('ends with FIN or RST as told, and reads on after its own FIN', async () => {
    const seen: string[] = [];
    const port = await serve((socket) => {
      socket.on('data', () => {});
      socket.on('error', () => seen.push('reset'));
      socket.on('end', () => {
        seen.push('fin');
        socket.end('HTTP/1.1 204 No\r\n\r\n');
      });
    });
    const polite = await rawClient(port);
    polite.end();
    expect((await polite.response()).status).toBe(204);
    expect(await polite.closed()).toBe('fin');
    const rude = await rawClient(port);
    rude.reset();
    await expect.poll(() => seen).toEqual(['fin', 'reset']);
  });

  it('sends each piece so that the other side reads it by itself', async () => {
    const pieces: string[] = [];
    const port = await serve((socket) => socket.on('data', (chunk) => void pieces.push(chunk.toString())));
    const client = await rawClient(port);
    open.push(() => client.close());
    await client.sendSplit('abcdef', [1, 3]);
    expect(pieces).toEqual(['a', 'bc', 'def']);
  });

  it('speaks TLS, checks the certificate, and can offer protocols', async () => {
    const authority = await certificates();
    const leaf = await authority.leaf(['one.test', '127.0.0.1']);
    const server = createTlsServer({ ...leaf, ALPNProtocols: ['http/1.1'] }, (socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 204 No\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => server.close());
    const { port } = server.address() as { port: number };
    const client = await rawClient({
      port,
      tls: { ca: authority.ca, servername: 'one.test', alpn: ['http/1.1'] },
    });
    expect((await client.response()).status).toBe(204);
    expect(await client.closed()).toBe('fin');
    const stranger = rawClient({ port, tls: { ca: authority.ca, servername: 'two.test' } });
    await expect(stranger).rejects.toThrow(/altnames/i);
    client.close();
  });
});
