import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate, ManualClock, type OriginExchange, turn, until } from '../../src/testkit/index.ts';
import { post, type Stage, stage } from './stage.ts';

const never = () => new Gate().opened;

let on: Stage | undefined;
afterEach(async () => {
  await on?.close();
  on = undefined;
});

describe('minRate', () => {
  it('counts each body by itself, not the time between two on one connection', async () => {
    const clock = new ManualClock();
    on = await stage({ clock, limits: { minRate: '1KiB/s' } });
    const client = await on.client();
    await client.send(post(['Content-Length: 4'], 'once'));
    expect((await client.response()).status).toBe(200);
    clock.advance(20_000);
    await client.send(post(['Content-Length: 5'], 'again'));
    expect((await client.response()).status).toBe(200);
  });

  it('holds nothing against a client whose body the service does not take', async () => {
    const clock = new ManualClock();
    on = await stage({ clock, limits: { minRate: '1KiB/s' }, service: { timeout: { idle: '10m' } } });
    const gate = new Gate();
    on.origin.answerWith(async (exchange: OriginExchange) => {
      exchange.connection.socket.pause();
      await gate.opened;
      exchange.connection.socket.resume();
      await exchange.send(answer(200, [], String((await exchange.body()).length)));
    });
    const size = 16 * 2 ** 20;
    const client = await on.client();
    const sending = client.send(post([`Content-Length: ${size}`], 'x'.repeat(size)));
    await on.origin.nextHead();
    let seen = -1;
    // The pieces on their way have all come to rest.
    await until(async () => {
      const before = seen;
      seen = client.socket.bytesWritten - client.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before === seen;
    }, 'the upload to stand still');
    for (let second = 0; second < 120; second++) clock.advance(1_000);
    gate.open();
    await sending;
    expect((await client.response()).body.toString()).toBe(String(size));
  });
});

describe('Expect: 100-continue', () => {
  it('of which the service decides nothing in time is 504: the client only waited (RFC 9110 §10.1.1)', async () => {
    const clock = new ManualClock();
    on = await stage({ clock, script: never });
    const client = await on.client();
    await client.send(post(['Content-Length: 9', 'Expect: 100-continue'], ''));
    await on.origin.nextHead();
    clock.advance(31_000);
    expect((await client.response()).status).toBe(504);
    await on.origin.connections[0]!.closed();
  });

  it('gives the client its whole bodyTimeout from the 100 on, then it is 408', async () => {
    const clock = new ManualClock();
    on = await stage({ clock });
    const gate = new Gate();
    on.origin.answerWith(async (exchange) => {
      await gate.opened;
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await never();
    });
    const client = await on.client();
    await client.send(post(['Content-Length: 9', 'Expect: 100-continue'], ''));
    await on.origin.nextHead();
    clock.advance(20_000);
    gate.open();
    expect((await client.head()).status).toBe(100);
    clock.advance(20_000);
    await turn();
    expect(client.reader.pending().length).toBe(0);
    clock.advance(11_000);
    expect((await client.response()).status).toBe(408);
  });
});
