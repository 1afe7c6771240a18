import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate, ManualClock, turn, until } from '../../src/testkit/index.ts';
import { request, type Stage, stage } from './stage.ts';

const never = () => new Gate().opened;

let on: Stage | undefined;
afterEach(async () => {
  await on?.close();
  on = undefined;
});

describe('timeout', () => {
  it('bounds the reading of an answer in whose place another one is sought', async () => {
    const clock = new ManualClock();
    on = await stage({
      clock,
      service: { timeout: '2s', retries: { attempts: 1, on: [503] } },
    });
    on.origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\n\r\n');
      await never();
    });
    const client = await on.client();
    await client.send(request('GET / HTTP/1.1'));
    await on.origin.nextRequest();
    await until(() => clock.pending > 0, 'a timer');
    for (let step = 0; step < 30 && client.reader.received === 0; step++) {
      clock.advance(100);
      await on.origin.connections[0]!.send('x');
      await turn();
    }
    expect((await client.response()).status).toBeGreaterThanOrEqual(500);
  });

  it('total of one exchange never cuts the answer of another', async () => {
    const clock = new ManualClock();
    on = await stage({
      clock,
      limits: { sendTimeout: '10m', idleTimeout: '10m' },
      service: { pool: { connections: 1 }, timeout: { total: '10s' } },
      routes: { all: { match: '/*', to: 'origin', compress: true } },
    });
    const text = randomBytes(12 * 2 ** 20).toString('base64');
    const gate = new Gate();
    on.origin.answerWith([
      async (exchange) => {
        await exchange.send(answer(200, [['content-type', 'text/plain']], text));
      },
      async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
        await gate.opened;
        await exchange.send('full');
      },
    ]);
    // Its answer has left the service, and is held by the encoder: it takes nothing.
    const slow = await on.client();
    await slow.send(request('GET /slow HTTP/1.1', ['Host: a', 'Accept-Encoding: gzip']));
    await slow.head();
    slow.pause();
    clock.advance(5_000);
    const other = await on.client();
    await other.send(request('GET /other HTTP/1.1'));
    await turn();
    slow.resume();
    const head = await other.head();
    expect(head.status).toBe(200);
    await other.bytes(4);
    clock.advance(6_000);
    gate.open();
    expect((await other.bytes(4)).toString()).toBe('full');
  });
});

describe('a client that leaves', () => {
  it.each(['reset', 'end'] as const)(
    'by %s while its answer is read for compression ends it at the service',
    async (how) => {
      on = await stage({ routes: { all: { match: '/*', to: 'origin', compress: true } } });
      on.origin.answerWith(async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\nx');
        await never();
      });
      const client = await on.client();
      await client.send(request('GET / HTTP/1.1', ['Host: a', 'Accept-Encoding: gzip']));
      await on.origin.nextRequest();
      await until(() => on!.origin.connections[0]!.socket.bytesWritten > 0, 'the answer to begin');
      await turn();
      client[how]();
      await on.origin.connections[0]!.closed();
    },
  );
});
