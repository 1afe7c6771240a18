import { afterEach, describe, expect, it } from 'vitest';
import { Gate, turn } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

describe('where a request ends is decided once', () => {
  let on: Stage | undefined;
  afterEach(async () => {
    await on?.close();
    on = undefined;
  });

  it.each(['POST', 'PUT'])(
    'a %s refused within a chunk takes no byte of that chunk for a request (RFC 9112 §7.1)',
    async (method) => {
      on = await stage({ routes: { all: { match: '/*', to: 'origin', maxBody: '1KiB' } } });
      const client = await on.client();
      // One chunk of 8192 bytes in three packets; the second passes the limit.
      await client.send(
        request(`${method} /post HTTP/1.1`, ['Host: a', 'Transfer-Encoding: chunked'], '2000\r\n') +
          'x'.repeat(500),
      );
      await on.origin.nextHead();
      const hidden = '\r\n0\r\n\r\n';
      const left = 8192 - 500 - 5000;
      await client.send('y'.repeat(left) + hidden + 'y'.repeat(5000 - left - hidden.length));
      await turn();
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
      await client.send(smuggled + 'z'.repeat(left - smuggled.length));
      expect((await client.response()).status).toBe(413);
      expect((await client.rest()).toString('latin1')).toBe('');
      expect(on.origin.requests.map((one) => one.target)).toEqual(['/post']);
    },
  );

  it('a service that switches before the request has ended is 502 (RFC 9110 §7.8)', async () => {
    on = await stage();
    on.origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
      await new Gate().opened;
    });
    const client = await on.client();
    await client.send(post(['Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 100'], 'part'));
    expect((await client.response()).status).toBe(502);
    await on.origin.connections[0]!.closed();
  });
});

describe('Connection', () => {
  it('knows no white space but SP and HTAB around its options (RFC 9110 §5.6.3)', async () => {
    const on = await stage();
    try {
      const client = await on.client();
      await client.send(request('GET / HTTP/1.0', ['Host: a', 'Connection: \xa0keep-alive']));
      expect((await client.response()).status).toBe(200);
      expect((await client.rest()).length).toBe(0);
      const other = await on.client();
      await other.send(
        request('GET / HTTP/1.1', ['Host: a', 'Connection: x-a\t , \tx-b', 'X-A: 1', 'X-B: 2', 'X-C: 3']),
      );
      await other.response();
      const names = on.origin.requests.at(-1)!.headers.map(([name]) => name);
      expect(names).toContain('X-C');
      expect(names).not.toContain('X-A');
      expect(names).not.toContain('X-B');
    } finally {
      await on.close();
    }
  });
});
