import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ManualClock,
  openSockets,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { bodyOf, header, json } from './stage.ts';

/** 200 calls at once, half of which are cut, reset, never answered, refused or broken in another way. */
const SIZE = 200;

describe('a fan-out of 200 calls of which half fail', () => {
  let origin: ScriptedOrigin;
  let gateway: TestGateway;
  const clock = new ManualClock();

  beforeAll(async () => {
    origin = await scriptedOrigin(async (exchange) => {
      const { connection } = exchange;
      const number = Number(exchange.request.target.slice(3));
      if (number % 2 === 0) return exchange.send(json({ number }));
      switch (number % 12) {
        case 1:
          return connection.reset();
        case 3:
          return;
        case 5:
          await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{');
          return connection.end();
        case 7:
          return exchange.send(json({}, 500));
        case 9:
          return exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{');
        default:
          await exchange.send('HTTP/1.1 200 OK\r\nbroken\r\n\r\n');
          return connection.end();
      }
    });
    const part = {
      each: `[${Array.from({ length: SIZE }, (_, i) => i).join(',')}]`,
      to: 'shop',
      path: '/p/{item}',
      concurrency: 150,
      timeout: '10s',
    };
    gateway = await startTestGateway(
      {
        services: {
          shop: {
            url: origin.url,
            retries: 'none',
            health: { passive: 'none' },
            pool: { connections: 100, idle: '1h' },
            breaker: { maxRequests: 120 },
          },
        },
        routes: {
          optional: {
            match: '/optional',
            aggregate: { calls: { part: { ...part, optional: true } }, deadline: '5s' },
          },
          required: {
            match: '/required',
            aggregate: {
              calls: { part: { ...part, onError: 'error.kind == "reset" ? "fail" : "null"' } },
              deadline: '5s',
            },
          },
        },
      },
      { clock },
    );
  });
  afterAll(async () => {
    await gateway.close();
    await origin.close();
  });

  async function ask(path: string, leave = false) {
    const client = await rawClient({ port: gateway.port });
    await client.send(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    if (leave) {
      await until(() => origin.requests.length > before + 20, 'some are asked');
      client.close();
      return null;
    }
    const response = await client.response();
    client.close();
    return response;
  }
  let before = 0;

  /** The 5 s deadline comes once all that can be asked has been. */
  async function atDeadline(): Promise<void> {
    let last = -1;
    await until(async () => {
      const now = origin.requests.length;
      const still = now === last && now > before;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 30));
      return still;
    }, 'no more calls are asked');
    clock.advance(5000);
  }

  it('answers at the deadline, and leaves no socket, no timer and nobody waiting', async () => {
    const one = async () => {
      before = origin.requests.length;
      const response = ask('/optional');
      await atDeadline();
      return await response;
    };
    await one();
    const quiet = async () => {
      await until(
        () => origin.connections.filter(({ socket }) => !socket.closed).length <= 100,
        'only idle connections are left',
      );
      return { timers: clock.pending, sockets: openSockets(process.pid) };
    };
    const first = await quiet();
    for (let round = 0; round < 5; round++) {
      const response = (await one())!;
      expect(response.status).toBe(200);
      expect(header(response, 'tidegate-partial')).toBe('part');
      const { part } = bodyOf(response) as { part: ({ number: number } | null)[] };
      expect(part.length).toBe(SIZE);
      part.forEach((body, index) => {
        if (body !== null) expect(body.number).toBe(index);
        else if (index % 2 === 0) expect(index).toBeGreaterThan(100);
      });
    }
    const last = await quiet();
    expect(last.timers).toBeLessThanOrEqual(first.timers + 5);
    expect(last.sockets).toBeLessThanOrEqual(first.sockets + 5);
  }, 30_000);

  it('ends all of them where one that is required fails, or the client leaves', async () => {
    for (let round = 0; round < 5; round++) {
      before = origin.requests.length;
      const response = await ask('/required');
      expect(bodyOf(response!)).toMatchObject({ call: 'part', kind: 'reset' });
      before = origin.requests.length;
      await ask('/required', true);
    }
    // A service with all its places free answers again.
    await until(async () => {
      before = origin.requests.length;
      const response = ask('/optional');
      await atDeadline();
      const { part } = bodyOf((await response)!) as { part: unknown[] };
      return part.filter((body) => body !== null).length > 20;
    }, 'the places are free again');
    const hanging = origin.connections.filter(({ socket }) => !socket.closed).length;
    expect(hanging).toBeLessThanOrEqual(100);
  }, 30_000);
});
