import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, Gate, type OriginExchange, standsStill, until } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

const never = () => new Gate().opened;
const MIB = 2 ** 20;

describe('when one side leaves, the other is told', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage({ limits: { headTimeout: '10s' } });
  });
  afterEach(() => on.close());

  it.each(['reset', 'end'] as const)(
    'a client that leaves by %s while it waits ends the call to the service',
    async (how) => {
      on.origin.answerWith(never);
      const client = await on.client();
      await client.send(request('GET / HTTP/1.1'));
      const got = await on.origin.nextRequest();
      client[how]();
      await got.connection.closed();
    },
  );

  it.each(['reset', 'end'] as const)(
    'a client that leaves by %s in the answer ends it at the service',
    async (how) => {
      on.origin.answerWith(async (exchange) => {
        await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * MIB}\r\n\r\n${'x'.repeat(1000)}`);
        await never();
      });
      const client = await on.client();
      await client.send(request('GET / HTTP/1.1'));
      await client.head();
      client[how]();
      await on.origin.connections[0]!.closed();
    },
  );

  it.each(['reset', 'end'] as const)(
    'a client that leaves by %s in its upload never completes it',
    async (how) => {
      const client = await on.client();
      await client.send(post(['Content-Length: 1000'], 'part'));
      const got = await on.origin.nextHead();
      client[how]();
      expect(await got.complete).toBe(false);
    },
  );

  it('a client that leaves in its chunked upload never completes it', async () => {
    const client = await on.client();
    await client.send(post(['Transfer-Encoding: chunked'], '4\r\npart\r\n'));
    const got = await on.origin.nextHead();
    client.end();
    expect(await got.complete).toBe(false);
    expect(got.raw.toString('latin1')).not.toMatch(/\r\n0\r\n/);
  });

  it('a client that leaves before its request is whole is not answered, and no service is asked', async () => {
    const client = await on.client();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n');
    client.end();
    await client.closed();
    expect(on.origin.requests).toEqual([]);
  });

  it('a client that only looked in is let go without a word', async () => {
    const client = await on.client();
    client.end();
    expect((await client.rest()).length).toBe(0);
    expect(await client.closed()).toBe('fin');
  });

  it('a service that answers while the upload still comes is heard at once (RFC 9112 §9.5)', async () => {
    on.origin.answerWith(async (exchange) => {
      await exchange.send(answer(403, [], 'enough'));
    });
    const client = await on.client();
    await client.send(post(['Content-Length: 1000000'], 'some'));
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([403, 'enough']);
    expect(await client.closed()).toBe('fin');
    expect(await on.origin.requests[0]!.complete).toBe(false);
  });

  it('a service that resets in the upload is a 502', async () => {
    on.origin.answerWith((exchange) => exchange.connection.reset());
    const client = await on.client();
    await client.send(post(['Content-Length: 1000000'], 'some'));
    expect((await client.response()).status).toBe(502);
  });
});

describe('the slower side sets the pace', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage();
  });
  afterEach(() => on.close());

  it('a client that does not read holds the service back, and gets all of it later', async () => {
    const total = 96 * MIB;
    let sent = 0;
    on.origin.answerWith(async (exchange) => {
      await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      for (const piece = Buffer.alloc(MIB, 'x'); sent < total; sent += MIB) await exchange.send(piece);
    });
    const client = await on.client(15_000);
    await client.send(request('GET / HTTP/1.1'));
    await client.head();
    client.pause();
    await standsStill(() => sent, 'the bytes');
    // What lies in the system's and the gateway's buffers between the two.
    expect(sent).toBeLessThan(24 * MIB);
    let got = 0;
    client.socket.on('data', (chunk) => {
      got += chunk.length;
    });
    client.resume();
    await until(() => sent === total, 'the service to have sent all', 15_000);
    await until(() => client.reader.received >= total, 'the client to have all', 15_000);
    expect(got).toBeGreaterThan(total - 32 * MIB);
  });

  it('a service that does not read holds the client back, and gets all of it later', async () => {
    const total = 96 * MIB;
    const gate = new Gate();
    on.origin.answerWith(async (exchange: OriginExchange) => {
      exchange.connection.socket.pause();
      await gate.opened;
      exchange.connection.socket.resume();
      await exchange.send(answer(200, [], String((await exchange.body()).length)));
    });
    const client = await on.client(15_000);
    await client.send(post([`Content-Length: ${total}`], ''));
    await on.origin.nextHead();
    let sent = 0;
    const piece = Buffer.alloc(MIB, 'y');
    const sending = (async () => {
      for (; sent < total; sent += MIB) await client.send(piece);
    })();
    await standsStill(() => sent, 'the bytes');
    expect(sent).toBeLessThan(24 * MIB);
    gate.open();
    await sending;
    expect((await client.response()).body.toString()).toBe(String(total));
  });
});
