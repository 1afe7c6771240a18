import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate } from '../../src/testkit/index.ts';
import { expectProblem, post, request, type Stage, type StageOptions, stage } from './stage.ts';

const never = () => new Gate().opened;

describe('time limits', () => {
  let on: Stage | undefined;
  afterEach(async () => {
    await on?.close();
    on = undefined;
  });

  async function started(options: StageOptions) {
    on = await stage(options);
    return { on, client: await on.client() };
  }

  it.each([
    ['within the request line', 'GET / HT'],
    ['within the headers', 'GET / HTTP/1.1\r\nHost: a\r\nX-'],
    ['before the last line end', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ])('a head that stops %s is 408 after headTimeout (RFC 9110 §15.5.9)', async (_, bytes) => {
    const { client } = await started({ limits: { headTimeout: '100ms' } });
    await client.send(bytes);
    const response = await client.response();
    expect(response.status).toBe(408);
    expectProblem(response);
    expect((await client.rest()).length).toBe(0);
  });

  it('a head that drips is 408 all the same: the limit is for the whole of it', async () => {
    const { client, on } = await started({ limits: { headTimeout: '200ms' } });
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-A: ');
    const drip = setInterval(() => void client.send('x'), 20);
    const response = await client.response();
    clearInterval(drip);
    expect(response.status).toBe(408);
    expect(on.origin.requests).toEqual([]);
  });

  it('a connection without a request is closed silently after idleTimeout', async () => {
    const { client } = await started({ limits: { idleTimeout: '100ms' } });
    expect((await client.rest()).length).toBe(0);
  });

  it('a kept connection is closed silently after idleTimeout', async () => {
    const { client } = await started({ limits: { idleTimeout: '150ms' } });
    await client.send(request('GET / HTTP/1.1'));
    await client.response();
    expect((await client.rest()).length).toBe(0);
  });

  it('idleTimeout does not count while an answer is awaited', async () => {
    const gate = new Gate();
    const { client, on } = await started({ limits: { idleTimeout: '50ms', headTimeout: '50ms' } });
    on.origin.answerWith(async (exchange) => {
      await gate.opened;
      await exchange.send(answer(200, [], 'late'));
    });
    setTimeout(() => gate.open(), 250);
    await client.send(request('GET / HTTP/1.1'));
    expect((await client.response()).body.toString()).toBe('late');
  });

  it.each([
    ['by its length', ['Content-Length: 10'], 'half'],
    ['in chunks', ['Transfer-Encoding: chunked'], '4\r\nhalf\r\n'],
  ])('a body %s that stops is 408 after bodyTimeout, and never complete', async (_, headers, body) => {
    const { client, on } = await started({ limits: { bodyTimeout: '150ms' } });
    await client.send(post(headers, body));
    const response = await client.response();
    expect(response.status).toBe(408);
    expect((await client.rest()).length).toBe(0);
    for (const got of on.origin.requests) expect(await got.complete).toBe(false);
  });

  it('a body that moves, however slowly, outlives bodyTimeout', async () => {
    const { client } = await started({ limits: { bodyTimeout: '600ms' } });
    await client.send(post(['Content-Length: 8'], ''));
    for (const byte of 'slowbody') {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await client.send(byte);
    }
    expect((await client.response()).status).toBe(200);
  });

  it('a service that does not answer is 504 after its timeout', async () => {
    const { client, on } = await started({ script: never, service: { timeout: '150ms' } });
    await client.send(request('GET / HTTP/1.1'));
    const response = await client.response();
    expect(response.status).toBe(504);
    expectProblem(response);
    await on.origin.connections[0]!.closed();
  });

  it('the timeout of a service begins when the body has ended', async () => {
    const { client } = await started({ service: { timeout: '200ms' } });
    await client.send(post(['Content-Length: 8'], ''));
    for (const byte of 'slowbody') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.send(byte);
    }
    expect((await client.response()).status).toBe(200);
  });

  it("a route's timeout wins over its service's", async () => {
    const { client } = await started({
      script: never,
      service: { timeout: '10s' },
      routes: { all: { match: '/*', to: 'origin', timeout: '100ms' } },
    });
    await client.send(request('GET / HTTP/1.1'));
    expect((await client.response()).status).toBe(504);
  });

  it('firstByte bounds one try', async () => {
    const { client } = await started({ script: never, service: { timeout: { firstByte: '100ms' } } });
    await client.send(request('POST / HTTP/1.1', ['Host: a', 'Content-Length: 0']));
    expect((await client.response()).status).toBe(504);
  });

  it('interim answers do not stop the clock', async () => {
    const { client } = await started({
      script: async (exchange) => {
        await exchange.send('HTTP/1.1 103 Early\r\nLink: a\r\n\r\n');
        await never();
      },
      service: { timeout: '150ms' },
    });
    await client.send(request('GET / HTTP/1.1'));
    const response = await client.response();
    expect([response.interim.length, response.status]).toEqual([1, 504]);
  });

  it('an answer that stops moving is cut after timeout.idle', async () => {
    const { client } = await started({
      script: async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        await never();
      },
      service: { timeout: { idle: '150ms' } },
    });
    await client.send(request('GET / HTTP/1.1'));
    await client.head();
    expect((await client.rest()).toString()).toBe('half');
  });

  it('an answer that moves outlives timeout and timeout.idle', async () => {
    const { client } = await started({
      script: async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n');
        for (const byte of 'slowbody') {
          await new Promise((resolve) => setTimeout(resolve, 50));
          await exchange.send(byte);
        }
      },
      service: { timeout: { response: '150ms', idle: '150ms' } },
    });
    await client.send(request('GET / HTTP/1.1'));
    expect((await client.response()).body.toString()).toBe('slowbody');
  });

  it('timeout.total cuts an exchange that still moves', async () => {
    const { client } = await started({
      script: async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, 30));
          if (exchange.connection.reader.ending !== null) return;
          await exchange.send('1\r\nx\r\n');
        }
      },
      service: { timeout: { total: '300ms' } },
    });
    await client.send(request('GET / HTTP/1.1'));
    await client.head();
    expect((await client.rest()).toString()).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  it('a client that takes no bytes is cut after sendTimeout', async () => {
    const { client, on } = await started({
      limits: { sendTimeout: '200ms' },
      script: answer(200, [], 'x'.repeat(50_000_000)),
    });
    client.pause();
    await client.send(request('GET / HTTP/1.1'));
    await on.origin.nextRequest();
    await on.origin.connections[0]!.closed();
  });

  it('a tunnel without a byte is cut after timeout.idle, one that moves is not', async () => {
    const { client } = await started({
      script: async (exchange) => {
        const reader = exchange.takeOver();
        await exchange.send('HTTP/1.1 101 S\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
        for (let bytes = await reader.some(); bytes.length > 0; bytes = await reader.some())
          await exchange.send(bytes);
      },
      service: { timeout: { idle: '200ms', response: '200ms' } },
    });
    await client.send(request('GET / HTTP/1.1', ['Host: a', 'Connection: Upgrade', 'Upgrade: echo']));
    expect((await client.response()).status).toBe(101);
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await client.send('x');
      await client.bytes(1);
    }
    await client.closed();
  });
});
