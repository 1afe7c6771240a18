import { afterEach, describe, expect, it } from 'vitest';
import { rawClient, type Script } from '../../src/testkit/index.ts';
import { BUSY, code, HANG, LAST, OK, RESET, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

/** Asks `times` times and gives back the statuses. */
async function ask(times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await on.ask()).status);
  return statuses;
}

const NO_RETRIES = { retries: { attempts: 0 } };

describe('passive health', () => {
  it('five errors in a row take a target out for ten seconds', async () => {
    on = await stage([RESET, OK, OK], NO_RETRIES);
    expect((await ask(15)).filter((status) => status !== 200)).toEqual([502, 502, 502, 502, 502]);
    expect((await ask(9)).every((status) => status === 200)).toBe(true);
    expect(on.counts()[0]).toBe(5);
  });

  it('a success in between begins the count anew', async () => {
    on = await stage([[RESET, RESET, RESET, RESET, LAST, RESET, RESET, RESET, RESET, LAST], OK], NO_RETRIES);
    await ask(20);
    expect(on.counts()[0]).toBe(10);
  });

  it('after its time it comes back with a small share, and one more error takes it out for twice as long', async () => {
    on = await stage([RESET, OK, OK], NO_RETRIES);
    await ask(15);
    on.clock.advance(10_001);
    // At a tenth of its weight it is one of the next twenty-one or so.
    while (on.counts()[0] === 5) await on.ask();
    expect(on.counts()[0]).toBe(6);
    on.clock.advance(10_001);
    await ask(20);
    expect(on.counts()[0]).toBe(6);
    on.clock.advance(10_001);
    while (on.counts()[0] === 6) await on.ask();
    expect(on.counts()[0]).toBe(7);
  });

  it('a target that has recovered gets its full share once it is warm', async () => {
    on = await stage([RESET, OK, OK], NO_RETRIES);
    await ask(15);
    on.targets[0]!.answerWith(OK);
    on.clock.advance(10_001);
    const cold = on.counts()[0]!;
    await ask(30);
    expect(on.counts()[0]! - cold).toBeLessThanOrEqual(3);
    on.clock.advance(10_001);
    const warm = on.counts()[0]!;
    await ask(30);
    expect(on.counts()[0]! - warm).toBeGreaterThanOrEqual(9);
  });

  it('an answer that timeout.total cuts speaks against nobody: its client may be slow', async () => {
    const half: Script = (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    on = await stage([half], {
      ...NO_RETRIES,
      timeout: { total: '1s' },
      health: { passive: { errors: 2 }, panic: '0%' },
      breaker: { errors: '2/30s' },
    });
    for (let i = 0; i < 3; i++) {
      await using client = await rawClient({ port: on.gateway.port });
      await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.head()).status).toBe(200);
      on.clock.advance(1001);
      await client.closed();
    }
    on.targets[0]!.answerWith(OK);
    expect((await on.ask()).status).toBe(200);
  });

  it('an answer that stops counts for the breaker, and takes no target out', async () => {
    const half: Script = (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    on = await stage([half], {
      ...NO_RETRIES,
      timeout: { idle: '1s' },
      health: { passive: { errors: 2 }, panic: '0%' },
      breaker: { errors: '3/30s' },
    });
    for (const expected of [200, 200, 200]) {
      await using client = await rawClient({ port: on.gateway.port });
      await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.head()).status).toBe(expected);
      on.clock.advance(1001);
      await client.closed();
    }
    expect(code(await on.ask())).toBe('TG_UPSTREAM_OPEN');
  });

  it('a status counts only where the retries name it', async () => {
    on = await stage([BUSY, OK, OK], NO_RETRIES);
    await ask(30);
    expect(on.counts()[0]).toBe(10);
    await on.close();
    on = await stage([BUSY, OK, OK], { retries: { attempts: 0, on: [503] } });
    await ask(30);
    expect(on.counts()[0]).toBe(5);
  });

  it('firstByte counts', async () => {
    on = await stage([HANG, OK, OK], {
      ...NO_RETRIES,
      timeout: { firstByte: '100ms' },
      health: { passive: { errors: 1 } },
    });
    const asked = on.ask();
    await on.targets[0]!.nextRequest();
    on.clock.advance(101);
    await asked;
    await ask(6);
    expect(on.counts()[0]).toBe(1);
  });

  it('a state survives a reload that leaves the target alone, and is gone with the target', async () => {
    on = await stage([RESET, OK, OK], NO_RETRIES);
    await ask(15);
    const config = (targets: string[]) => ({
      services: { shop: { targets, balance: 'roundRobin', ...NO_RETRIES } },
      routes: { all: { match: '/*', to: 'shop', response: { headers: { set: { 'x-new': 'yes' } } } } },
    });
    const urls = on.targets.map(({ url }) => url);
    await on.gateway.reload(config(urls));
    await ask(6);
    expect(on.counts()[0]).toBe(5);
    await on.gateway.reload(config(urls.slice(1)));
    await on.gateway.reload(config(urls));
    await ask(3);
    expect(on.counts()[0]).toBe(6);
  });

  it('passive: none never takes a target out', async () => {
    on = await stage([RESET, OK], { ...NO_RETRIES, health: { passive: 'none' } });
    await ask(20);
    expect(on.counts()[0]).toBe(10);
  });
});

describe('panic', () => {
  it('with fewer than half of the targets in, all are used', async () => {
    on = await stage([RESET, RESET, OK], NO_RETRIES);
    await ask(15);
    // Both are out; one of three is too few, so all go on being asked.
    expect(new Set(await ask(6))).toEqual(new Set([200, 502]));
  });

  it('panic: 0% answers 503 when none is in, and says when to come back', async () => {
    on = await stage([RESET], { ...NO_RETRIES, health: { panic: '0%' } });
    await ask(5);
    const response = await on.ask();
    expect([response.status, code(response)]).toEqual([503, 'TG_UPSTREAM_UNAVAILABLE']);
    expect(response.headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1]).toBe('10');
    expect(on.counts()).toEqual([5]);
    on.targets[0]!.answerWith(OK);
    on.clock.advance(10_001);
    expect(await ask(1)).toEqual([200]);
  });
});
