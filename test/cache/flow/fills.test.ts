import { afterEach, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, type RawResponse, until } from '../../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let now: Stage;
afterEach(() => now.close());

const fresh = (body: string, headers: [string, string][] = []) =>
  answer(200, [['Cache-Control', 'max-age=60'], ...headers], body);

/** An origin that answers when told to. */
function held() {
  const waiting: OriginExchange[] = [];
  return { waiting, script: (exchange: OriginExchange) => void waiting.push(exchange) };
}

const lineOf = ({ headers }: RawResponse) =>
  headers.find(([name]) => name.toLowerCase() === 'cache-status')?.[1];

describe('one fill for all who ask for the same', () => {
  it('a hundred requests at once make one to the origin', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const asks = Array.from({ length: 100 }, () => now.ask());
    await until(() => waiting.length === 1, 'a request at the origin');
    await now.settled();
    await waiting[0]!.send(fresh('one'));
    const answers = await Promise.all(asks);
    expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['one']));
    expect(answers.filter((one) => lineOf(one)?.includes('collapsed'))).toHaveLength(99);
    expect(waiting).toHaveLength(1);
  });

  it('what cannot be stored frees those who waited at once: each asks for itself', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const asks = [now.ask(), now.ask(), now.ask()];
    await until(() => waiting.length === 1, 'a request at the origin');
    await now.settled();
    await waiting[0]!.send(answer(200, [['Cache-Control', 'no-store']], 'mine'));
    await until(() => waiting.length === 3, 'a request at the origin');
    await waiting[1]!.send(answer(200, [['Cache-Control', 'no-store']], 'yours'));
    await waiting[2]!.send(answer(200, [['Cache-Control', 'no-store']], 'theirs'));
    const bodies = (await Promise.all(asks)).map(({ body }) => body.toString()).sort();
    expect(bodies).toEqual(['mine', 'theirs', 'yours']);
  });

  it('each client of a stream of events has its own, which ends when the client leaves', async () => {
    const { waiting, script } = held();
    now = await stage(script, { ttl: '1m' });
    const first = now.ask().catch(() => null);
    await until(() => waiting.length === 1, 'a request at the origin');
    const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n';
    await waiting[0]!.send(stream);
    const second = now.ask().catch(() => null);
    await until(() => waiting.length === 2, 'a request of its own');
    await now.leave();
    await waiting[0]!.connection.closed();
    await waiting[1]!.send(stream);
    waiting[1]!.connection.end();
    await Promise.all([first, second]);
  });

  it('a fill that failed is tried once more for those who waited, together', async () => {
    const { waiting, script } = held();
    now = await stage(script, true, { retries: 'none' });
    const asks = [now.ask(), now.ask(), now.ask()];
    await until(() => waiting.length === 1, 'a request at the origin');
    await now.settled();
    await waiting[0]!.send('HTTP/1.1 200 OK\r\nbroken');
    waiting[0]!.connection.reset();
    await until(() => waiting.length === 2, 'a request at the origin');
    await waiting[1]!.send(fresh('one'));
    const statuses = (await Promise.all(asks)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 502]);
  });

  it('who waited for a fill that failed twice is told that it was collapsed', async () => {
    const { waiting, script } = held();
    now = await stage(script, true, { retries: 'none' });
    const asks = [now.ask(), now.ask(), now.ask()];
    for (const turn of [0, 1]) {
      await until(() => waiting.length === turn + 1, 'a request at the origin');
      await now.settled();
      waiting[turn]!.connection.reset();
    }
    const answers = await Promise.all(asks);
    expect(answers.map(({ status }) => status)).toEqual([502, 502, 502]);
    const alone = 'tidegate; fwd=uri-miss';
    expect(answers.map(lineOf).sort()).toEqual([alone, alone, `${alone}; collapsed`]);
  });

  it("gives early hints to the request that fills alone: whether others may have them isn't known yet", async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const filler = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const waiter = now.ask();
    await now.settled();
    await waiting[0]!.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
    await waiting[0]!.send(fresh('one'));
    const hints = async (asked: Promise<RawResponse>) => (await asked).interim.map(({ status }) => status);
    expect([await hints(filler), await hints(waiter), await hints(now.ask())]).toEqual([[103], [], []]);
  });

  it('goes on when its first client leaves', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const first = now.ask().catch(() => null);
    await until(() => waiting.length === 1, 'a request at the origin');
    const second = now.ask();
    await now.leave();
    await waiting[0]!.send(fresh('one'));
    expect((await second).body.toString()).toBe('one');
    await first;
    expect(waiting).toHaveLength(1);
  });

  it('streams to those who wait while it comes in', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const asks = [now.ask(), now.ask()];
    await until(() => waiting.length === 1, 'a request at the origin');
    await now.settled();
    await waiting[0]!.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nabc');
    const late = now.ask();
    await now.settled();
    await waiting[0]!.send('def');
    for (const one of await Promise.all([...asks, late])) expect(one.body.toString()).toBe('abcdef');
    expect(waiting).toHaveLength(1);
  });

  it('a body that is cut short reaches its clients cut short, and is not stored', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const ask = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    await waiting[0]!.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nabc');
    waiting[0]!.connection.end();
    await expect(ask).rejects.toThrow();
    const again = now.ask();
    await until(() => waiting.length === 2, 'a request at the origin');
    await waiting[1]!.send(fresh('abcdef'));
    expect((await again).body.toString()).toBe('abcdef');
  });

  it('a body longer than maxSize goes out whole, and is not stored', async () => {
    const { waiting, script } = held();
    now = await stage(script, { maxSize: '1KiB' });
    const ask = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const body = 'x'.repeat(3000);
    await waiting[0]!.send(
      `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${body}\r\n0\r\n\r\n`,
    );
    expect((await ask).body.toString()).toBe(body);
    const again = now.ask();
    await until(() => waiting.length === 2, 'a request at the origin');
    await waiting[1]!.send(answer(200, [['Cache-Control', 'max-age=60']], body));
    expect(lineOf(await again)).toBe('tidegate; fwd=uri-miss; detail=too-large');
  });

  it('a request that comes after a change of its URL does not join a fill begun before it', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const first = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const put = now.ask('/a', { method: 'PUT', body: 'x' });
    await until(() => waiting.length === 2, 'a request at the origin');
    await waiting[1]!.send(answer(204));
    await put;
    const second = now.ask();
    await until(() => waiting.length === 3, 'a request at the origin');
    await waiting[2]!.send(fresh('new'));
    await waiting[0]!.send(fresh('old'));
    expect((await first).body.toString()).toBe('old');
    expect((await second).body.toString()).toBe('new');
    expect((await now.ask()).body.toString()).toBe('new');
  });

  it('clients that want it anew share one fill begun after they came', async () => {
    const { waiting, script } = held();
    now = await stage(script, true);
    const first = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    const reload = { headers: ['Cache-Control: no-cache'] };
    await waiting[0]!.send(fresh('one'));
    await first;
    const reloads = [now.ask('/a', reload)];
    await until(() => waiting.length === 2, 'a request at the origin');
    reloads.push(now.ask('/a', reload), now.ask('/a', reload));
    await now.settled();
    await waiting[1]!.send(fresh('two'));
    await until(() => waiting.length === 3, 'a request at the origin');
    await waiting[2]!.send(fresh('three'));
    const bodies = (await Promise.all(reloads)).map(({ body }) => body.toString());
    expect(bodies).toEqual(['two', 'three', 'three']);
    expect(waiting).toHaveLength(3);
  });

  it('a waiter waits no longer than its own time allows', async () => {
    const { waiting, script } = held();
    now = await stage(script, true, { timeout: '2s' });
    const first = now.ask();
    await until(() => waiting.length === 1, 'a request at the origin');
    now.clock.advance(1_500);
    const second = now.ask();
    await now.settled();
    now.clock.advance(600);
    expect((await first).status).toBe(504);
    await until(() => waiting.length === 2, 'a request at the origin');
    now.clock.advance(1_500);
    expect((await second).status).toBe(504);
  });
});
