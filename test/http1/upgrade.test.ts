import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headerValue, type OriginExchange, type RawClient } from '../../src/testkit/index.ts';
import { names, request, type Stage, stage } from './stage.ts';

const UPGRADE = ['Host: a', 'Connection: Upgrade', 'Upgrade: echo'];
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

async function echo(exchange: OriginExchange): Promise<void> {
  const reader = exchange.takeOver();
  await exchange.send(SWITCH);
  for (let bytes = await reader.some(); bytes.length > 0; bytes = await reader.some())
    await exchange.send(bytes);
  exchange.connection.end();
}

describe('an upgrade (RFC 9110 §7.8)', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage({ script: echo });
  });
  afterEach(() => on.close());

  async function upgraded(): Promise<RawClient> {
    const client = await on.client();
    await client.send(request('GET /chat HTTP/1.1', UPGRADE));
    expect((await client.response()).status).toBe(101);
    return client;
  }

  it('is asked of the service in its own words, and answered with its 101', async () => {
    const client = await on.client();
    await client.send(request('GET /chat HTTP/1.1', [...UPGRADE, 'Sec-Thing: x']));
    const response = await client.response();
    expect(headerValue(response, 'upgrade')).toBe('echo');
    expect(headerValue(response, 'connection')?.toLowerCase()).toContain('upgrade');
    expect(names(response)).not.toContain('content-length');
    expect(names(response)).not.toContain('transfer-encoding');
    const got = on.origin.requests[0]!;
    expect(headerValue(got, 'upgrade')).toBe('echo');
    expect(headerValue(got, 'connection')?.toLowerCase()).toContain('upgrade');
    expect(headerValue(got, 'sec-thing')).toBe('x');
  });

  it('is a tunnel for any bytes, both ways', async () => {
    const client = await upgraded();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await client.send(bytes);
    expect(await client.bytes(256)).toEqual(bytes);
    await client.send('GET / HTTP/1.1\r\n\r\n');
    expect((await client.bytes(18)).toString()).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('takes along bytes that a client sent ahead of the answer', async () => {
    const client = await on.client();
    await client.send(`${request('GET /chat HTTP/1.1', UPGRADE)}early`);
    expect((await client.response()).status).toBe(101);
    expect((await client.bytes(5)).toString()).toBe('early');
  });

  it('takes along bytes that the service sent in the packet of its 101', async () => {
    on.origin.answerWith(async (exchange) => {
      exchange.takeOver();
      await exchange.send(`${SWITCH}welcome`);
    });
    const client = await upgraded();
    expect((await client.bytes(7)).toString()).toBe('welcome');
  });

  it("passes a client's half-close on: the service may still speak", async () => {
    on.origin.answerWith(async (exchange) => {
      const reader = exchange.takeOver();
      await exchange.send(SWITCH);
      const all = await reader.rest();
      await exchange.send(`got ${all.length}`);
      exchange.connection.end();
    });
    const client = await upgraded();
    await client.send('12345');
    client.end();
    expect((await client.rest()).toString()).toBe('got 5');
    expect(await client.closed()).toBe('fin');
  });

  it("passes a service's half-close on: the client may still speak", async () => {
    on.origin.answerWith(async (exchange) => {
      exchange.takeOver();
      await exchange.send(`${SWITCH}bye`);
      exchange.connection.end();
    });
    const client = await upgraded();
    expect((await client.rest()).toString()).toBe('bye');
    await client.send('still here');
    client.end();
    await on.origin.connections[0]!.closed();
    expect(on.origin.connections[0]!.received.toString('latin1')).toContain('still here');
  });

  it('ends on both sides when one resets', async () => {
    const client = await upgraded();
    client.reset();
    await on.origin.connections[0]!.closed();
    const other = await upgraded();
    on.origin.connections[1]!.reset();
    await other.closed();
  });

  it('passes an ordinary answer where the service does not switch', async () => {
    on.origin.answerWith('HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno');
    const client = await on.client();
    await client.send(request('GET /chat HTTP/1.1', UPGRADE));
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([426, 'no']);
  });

  it.each([
    ['of another protocol', 'HTTP/1.1 101 S\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n'],
    ['that names no protocol', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n'],
    ['of HTTP/1.0', 'HTTP/1.0 101 S\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n'],
  ])('opens no tunnel on a 101 %s', async (_, bytes) => {
    on.origin.answerWith((exchange) => {
      exchange.takeOver();
      return exchange.send(bytes);
    });
    const client = await on.client();
    await client.send(request('GET /chat HTTP/1.1', UPGRADE));
    expect((await client.response()).status).toBe(502);
  });

  it('opens on the one of several protocols that the service chose', async () => {
    const client = await on.client();
    await client.send(
      request('GET /chat HTTP/1.1', ['Host: a', 'Connection: upgrade', 'Upgrade: other/2, ECHO']),
    );
    expect((await client.response()).status).toBe(101);
  });

  it('is not asked for by HTTP/1.0', async () => {
    on.origin.answerWith('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const client = await on.client();
    await client.send(request('GET /chat HTTP/1.0', UPGRADE));
    expect((await client.response()).status).toBe(200);
    expect(names(on.origin.requests[0]!)).not.toContain('upgrade');
  });

  it('moves a lot of bytes both ways with bounded memory', async () => {
    const client = await upgraded();
    const piece = Buffer.alloc(64 * 1024, 'x');
    const total = 32 * 1024 * 1024;
    const sending = (async () => {
      for (let sent = 0; sent < total; sent += piece.length) await client.send(piece);
    })();
    for (let got = 0; got < total; got += piece.length) await client.bytes(piece.length);
    await sending;
  });
});
